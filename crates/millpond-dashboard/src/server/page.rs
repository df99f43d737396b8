//! The page: one file, with all that it needs in it.

/// As it is sent.
pub(crate) const HTML: &str = include_str!("page.html");

/// What a browser lets the page do: run its one script, by the hash of it, use its one style, show images that it has in
/// itself, and ask this server. A page in which anything else was put would not get it to run.
///
/// The hashes are those of `page.html`; a test says which they must be.
pub(crate) const CONTENT_SECURITY_POLICY: &str = concat!(
    "default-src 'none'; ",
    "script-src 'sha256-cwqMkpoFZglsZcO4ivmyM05n+4gUeDFuI2nQekbd3Jw='; ",
    "style-src 'sha256-qKXT6oVMOPGNFd0EjqwQ+yfCR22HtH8NwFfMNFiZgrA='; ",
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::Write,
        process::{Command, Stdio},
    };

    /// By the coreutils, which are everywhere.
    fn sha256(text: &str) -> Vec<u8> {
        let mut child = Command::new("sha256sum")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sha256sum is there");
        child.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("it reads");
        let output = child.wait_with_output().expect("it ends").stdout;
        let digit = |index: usize| char::from(output[index]).to_digit(16).expect("a digit");
        (0..32).map(|index| (digit(2 * index) * 16 + digit(2 * index + 1)) as u8).collect()
    }

    /// RFC 4648, of what is no multiple of three bytes.
    fn base64(bytes: &[u8]) -> String {
        const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let digits = bytes.chunks(3).flat_map(|three| {
            let bits = three.iter().fold(0, |bits: u32, byte| bits << 8 | u32::from(*byte))
                << (8 * (3 - three.len()));
            let digit = move |at: usize| char::from(DIGITS[(bits >> (18 - 6 * at)) as usize & 63]);
            (0..4).map(move |at| if at <= three.len() { digit(at) } else { '=' })
        });
        digits.collect()
    }

    fn between(begin: &str, end: &str) -> String {
        let (_, rest) = HTML.split_once(begin).expect("it is there");
        let (inside, after) = rest.split_once(end).expect("it has an end");
        assert!(!after.contains(begin), "there are two of {begin}");
        format!("'sha256-{}'", base64(&sha256(inside)))
    }

    #[test]
    fn the_policy_lets_in_the_pages_own_script_and_style() {
        let (script, style) = (between("<script>", "</script>"), between("<style>", "</style>"));
        let expected = format!("script-src {script}; style-src {style}; ");
        assert!(
            CONTENT_SECURITY_POLICY.contains(&expected),
            "the page has changed; its policy must say {expected}"
        );
    }
}
