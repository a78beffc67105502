//! Messages of PostgreSQL's protocol as bytes.

/// A message: its type and what comes after its length.
pub type Frame = (u8, Vec<u8>);

/// A message as it is sent.
pub fn frame(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).expect("a message is short");
    [&[tag], &length.to_be_bytes()[..], body].concat()
}

/// The whole messages at the beginning of some bytes, up to one that is none.
pub fn frames(mut bytes: &[u8]) -> Vec<Frame> {
    let mut found = Vec::new();
    while let Some((tag, length)) = head(bytes)
        && (4..bytes.len()).contains(&length)
    {
        found.push((tag, bytes[5..=length].to_vec()));
        bytes = &bytes[length + 1..];
    }
    found
}

/// A row as it is sent.
pub fn row(cells: &[Option<&[u8]>]) -> Vec<u8> {
    let count = u16::try_from(cells.len()).expect("a row is narrow");
    let mut body = count.to_be_bytes().to_vec();
    for cell in cells {
        let length = cell.map_or(-1, |it| i32::try_from(it.len()).expect("a cell is short"));
        body.extend(length.to_be_bytes());
        body.extend(cell.unwrap_or_default());
    }
    frame(b'D', &body)
}

/// The cells of a row's body.
pub fn cells(body: &[u8]) -> Vec<Option<Vec<u8>>> {
    let mut rest = &body[2..];
    let mut found = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let length = usize::try_from(i32::from_be_bytes(*length)).ok();
        let taken = length.unwrap_or_default();
        found.push(length.map(|_| after[..taken].to_vec()));
        rest = &after[taken..];
    }
    found
}

/// The type and the length of the first message, the length itself included.
pub(super) fn head(bytes: &[u8]) -> Option<(u8, usize)> {
    let (head, _) = bytes.split_first_chunk::<5>()?;
    let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
    Some((head[0], usize::try_from(length).expect("32 bits fit")))
}
