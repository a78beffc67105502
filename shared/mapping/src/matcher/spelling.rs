//! How alike two words are written.

/// Jaro-Winkler similarity, 0 to 1: Winkler (1990), with the prefix of up to four letters counted
/// where Jaro's measure exceeds 0.7. Quadratic in the length of the words, which are short.
pub(crate) fn jaro_winkler(a: &str, b: &str) -> f64 {
    if a.is_ascii() && b.is_ascii() {
        return winkler(a.as_bytes(), b.as_bytes());
    }
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    winkler(&a, &b)
}

fn winkler<T: PartialEq>(a: &[T], b: &[T]) -> f64 {
    let jaro = jaro(a, b);
    if jaro <= 0.7 {
        return jaro;
    }
    let prefix = a.iter().zip(b).take(4).take_while(|(x, y)| x == y).count();
    jaro + prefix as f64 * 0.1 * (1.0 - jaro)
}

fn jaro<T: PartialEq>(a: &[T], b: &[T]) -> f64 {
    if a.is_empty() && b.is_empty() {
        return 1.0;
    }
    let window = (a.len().max(b.len()) / 2).saturating_sub(1);
    let mut taken = vec![false; b.len()];
    let mut matched = Vec::with_capacity(a.len());
    for (i, letter) in a.iter().enumerate() {
        let (from, to) = (i.saturating_sub(window), (i + window + 1).min(b.len()));
        let found = (from..to).find(|&j| !taken[j] && b[j] == *letter);
        if let Some(j) = found {
            taken[j] = true;
            matched.push(letter);
        }
    }
    if matched.is_empty() {
        return 0.0;
    }
    let others = taken.iter().zip(b).filter(|it| *it.0).map(|it| it.1);
    let swapped = others.zip(&matched).filter(|(x, y)| x != *y).count() / 2;
    let m = matched.len() as f64;
    (m / a.len() as f64 + m / b.len() as f64 + (m - swapped as f64) / m) / 3.0
}

/// Three letters, 21 bits each.
pub(super) type Trigram = u64;

/// The trigrams of a word with its ends marked, each with its count, sorted.
#[derive(Debug)]
pub(super) struct Trigrams {
    counts: Vec<(Trigram, f64)>,
    norm: f64,
}

impl Trigrams {
    pub(super) fn of(word: &str) -> Trigrams {
        let text: Vec<char> = ['^'].into_iter().chain(word.chars()).chain(['$']).collect();
        let packed = |it: &[char]| {
            it.iter()
                .fold(0, |bits, it| bits << 21 | Trigram::from(u32::from(*it)))
        };
        let mut all: Vec<_> = text.windows(3).map(packed).collect();
        if all.is_empty() {
            all.push(packed(&text));
        }
        all.sort_unstable();
        let mut counts: Vec<(Trigram, f64)> = Vec::with_capacity(all.len());
        for trigram in all {
            match counts.last_mut() {
                Some(last) if last.0 == trigram => last.1 += 1.0,
                _ => counts.push((trigram, 1.0)),
            }
        }
        let norm = counts.iter().map(|it| it.1 * it.1).sum::<f64>().sqrt();
        Trigrams { counts, norm }
    }

    /// Each trigram once.
    pub(super) fn all(&self) -> impl Iterator<Item = Trigram> + '_ {
        self.counts.iter().map(|it| it.0)
    }

    /// The cosine of the two.
    pub(super) fn cosine(&self, other: &Trigrams) -> f64 {
        let (mut i, mut j, mut dot) = (0, 0, 0.0);
        while let (Some(a), Some(b)) = (self.counts.get(i), other.counts.get(j)) {
            if a.0 == b.0 {
                dot += a.1 * b.1;
            }
            i += usize::from(a.0 <= b.0);
            j += usize::from(b.0 <= a.0);
        }
        dot / (self.norm * other.norm)
    }
}

/// Whether the letters of `short` stand in `long` in their order.
pub(super) fn is_subsequence(short: &str, long: &str) -> bool {
    let mut letters = long.chars();
    short.chars().all(|it| letters.any(|other| other == it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jaro_winkler_is_winklers() {
        let cases = [
            ("martha", "marhta", 0.9611),
            ("dixon", "dicksonx", 0.8133),
            ("dwayne", "duane", 0.84),
            ("", "", 1.0),
            ("a", "", 0.0),
        ];
        for (a, b, want) in cases {
            let got = jaro_winkler(a, b);
            assert!((got - want).abs() < 1e-4, "{a} {b} {got}");
            assert_eq!(got, jaro_winkler(b, a));
        }
    }

    #[test]
    fn equal_words_have_equal_trigrams() {
        let cosine = |a: &str, b: &str| Trigrams::of(a).cosine(&Trigrams::of(b));
        assert!((cosine("name", "name") - 1.0).abs() < 1e-12);
        assert!((cosine("name", "names") - 3.0 / 20f64.sqrt()).abs() < 1e-12);
        assert_eq!(cosine("name", "xy"), 0.0);
        assert!((cosine("", "") - 1.0).abs() < 1e-12);
    }
}
