//! A README as crates.io shows it: it knows neither the files around it nor GitHub's own words.

/// What would be broken there, each with its line: `:LINE: …`.
///
/// crates.io makes relative links whole by the manifest's `repository`, and there is none. HTML it cleans, and much is lost;
/// footnotes, alerts and task lists are not everybody's.
pub(crate) fn faults(readme: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut fence: Option<&str> = None;
    for (index, line) in readme.lines().enumerate() {
        let start = line.trim_start();
        let mark = ["```", "~~~"].into_iter().find(|mark| start.starts_with(mark));
        match (fence, mark) {
            (Some(open), Some(mark)) if open == mark => fence = None,
            (None, Some(mark)) => fence = Some(mark),
            (Some(_), _) => {}
            (None, None) => {
                let prose = without_code(line);
                faults.extend(line_faults(&prose).map(|fault| format!(":{}: {fault}", index + 1)));
            }
        }
    }
    faults
}

fn line_faults(prose: &str) -> impl Iterator<Item = String> {
    let relative = targets(prose)
        .filter(|target| !target.starts_with("https://") && !target.starts_with('#'))
        .map(|target| format!("the link to `{target}` leads nowhere on crates.io"));
    let html = prose.match_indices('<').filter(|(at, _)| {
        let inside = &prose[at + 1..];
        !inside.starts_with("https://")
            && inside.starts_with(|next: char| next.is_ascii_alphabetic() || "/!".contains(next))
    });
    let html = html.map(|(at, _)| format!("HTML: `{}`", prose[at..].chars().take(20).collect::<String>()));
    let own = ["[^", "> [!", "- [ ]", "- [x]", "~~"].into_iter().filter(|mark| prose.contains(mark));
    let own = own.map(|mark| format!("`{mark}` is no Markdown of everybody's"));
    relative.chain(html).chain(own).collect::<Vec<_>>().into_iter()
}

/// Where the links and pictures of a line lead: `[…](HERE)`, and `[…]: HERE` for those that are named.
fn targets(prose: &str) -> impl Iterator<Item = &str> {
    let inline = prose.match_indices("](").map(|(at, mark)| &prose[at + mark.len()..]);
    let named = prose.starts_with('[').then(|| prose.split_once("]: ")).flatten().map(|(_, target)| target);
    let end = |target: &'_ str| target.find([')', ' ']).unwrap_or(target.len());
    inline.chain(named).map(move |target| &target[..end(target)])
}

/// The line with a word for what stands between backticks.
fn without_code(line: &str) -> String {
    let parts = line.split('`').enumerate();
    parts.map(|(index, part)| if index % 2 == 0 { part } else { "code" }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_by_itself_is_content() {
        let page = "# A\n[docs](https://docs.rs/a) and [below](#below), `a](b)` and 1 < 2\n- [`c`](https://x.org)\n\n[x]: https://x.org\n\
                    ```rust\nlet a = b[0](c); // <br>\n```\n| a | b |\n|---|---|\n";
        assert_eq!(faults(page), [""; 0]);
    }

    #[test]
    fn what_breaks_is_told_with_its_line() {
        let page =
            "[a](docs/a.md) ![b](b.png \"B\")\n```\n[c](c)\n```\n[d]: ../d.md\n<img src=\"e\">\n> [!NOTE]\n";
        let faults = faults(page);
        let told = |line: &str, what: &str| {
            faults.iter().any(|fault| fault.starts_with(line) && fault.contains(what))
        };
        assert!(told(":1: ", "`docs/a.md`") && told(":1: ", "`b.png`"), "{faults:?}");
        assert!(told(":5: ", "`../d.md`") && told(":6: ", "HTML") && told(":7: ", "`> [!`"), "{faults:?}");
        assert_eq!(faults.len(), 5, "{faults:?}");
    }
}
