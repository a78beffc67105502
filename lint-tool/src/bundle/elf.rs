//! Whether Lambda can start a binary at all: the processor, and the C library that it asks for.

use super::build::Arch;

/// The minor version of glibc 2 in `provided.al2023`.
const GLIBC: u32 = 34;

/// Says why Lambda would not start the binary.
pub(super) fn check(binary: &[u8], arch: Arch) -> Result<(), String> {
    let machine = match arch {
        Arch::X86_64 => 0x3e,
        Arch::Arm64 => 0xb7,
    };
    if !binary.starts_with(b"\x7fELF") || binary.get(18..20) != Some(&[machine, 0]) {
        return Err(format!("is no Linux program for {}", arch.as_lambda_says()));
    }
    match glibc(binary) {
        Some(minor) if minor > GLIBC => Err(format!(
            "asks for glibc 2.{minor} and Lambda has 2.{GLIBC}: build it on an older Linux"
        )),
        _ => Ok(()),
    }
}

/// The newest version of glibc that the binary names.
fn glibc(binary: &[u8]) -> Option<u32> {
    const NAME: &[u8] = b"GLIBC_2.";
    let starts = binary.windows(NAME.len()).enumerate();
    let starts = starts.filter(|(_, it)| *it == NAME);
    let minor = starts.filter_map(|(at, _)| {
        let digits = binary[at + NAME.len()..].iter().take(3);
        let digits = digits.take_while(|it| it.is_ascii_digit());
        let text: String = digits.map(|it| char::from(*it)).collect();
        text.parse().ok()
    });
    minor.max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lambda_starts_programs_for_its_processor_and_c_library() {
        let binary = |machine: u8, rest: &str| {
            let head = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0";
            [&head[..], &[machine, 0], rest.as_bytes()].concat()
        };
        let x86_64 = |it: &[u8]| check(it, Arch::X86_64).err().unwrap_or_default();
        assert_eq!(x86_64(&binary(0x3e, "GLIBC_2.2.5\0GLIBC_2.34\0")), "");
        assert_eq!(x86_64(&binary(0x3e, "")), "");
        assert_eq!(x86_64(&binary(0xb7, "")), "is no Linux program for x86_64");
        assert_eq!(x86_64(b"#!/bin/sh"), "is no Linux program for x86_64");
        assert_eq!(check(&binary(0xb7, "GLIBC_2.17\0"), Arch::Arm64), Ok(()));
        let new = "asks for glibc 2.38 and Lambda has 2.34: build it on an older Linux";
        assert_eq!(x86_64(&binary(0x3e, "GLIBC_2.4\0GLIBC_2.38\0")), new);
    }
}
