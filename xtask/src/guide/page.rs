//! A page of HTML, as far as links go: where it can be entered, and where it leads.

use std::collections::BTreeSet;

#[derive(Debug, Default)]
pub(crate) struct Page {
    /// What a link can name after its `#`.
    pub(crate) anchors: BTreeSet<String>,
    /// What its links, pictures, styles and scripts name, each once.
    pub(crate) links: BTreeSet<String>,
}

/// Reads what mdBook and rustdoc write. It is no parser of just any HTML.
pub(crate) fn parse(html: &str) -> Page {
    let mut page = Page::default();
    let mut rest = html;
    while let Some((_, after)) = rest.split_once('<') {
        rest = match after.strip_prefix("!--") {
            Some(comment) => comment.split_once("-->").map_or("", |(_, rest)| rest),
            None => tag(after, &mut page),
        };
    }
    page
}

/// Notes what the tag that begins here says, and returns what follows it; of a script, what follows its end.
fn tag<'a>(html: &'a str, page: &mut Page) -> &'a str {
    let name_ends = html.find(|next: char| !next.is_ascii_alphanumeric()).unwrap_or(html.len());
    let (name, mut rest) = html.split_at(name_ends);
    while let Some((key, value, after)) = attribute(rest) {
        match key {
            "id" | "name" => drop(page.anchors.insert(value)),
            "href" | "src" => drop(page.links.insert(value)),
            _ => {}
        }
        rest = after;
    }
    if name != "script" {
        return rest;
    }
    rest.split_once("</script").map_or("", |(_, rest)| rest)
}

/// The next attribute of a tag, its value, and what follows; none at the tag's end.
fn attribute(html: &str) -> Option<(&str, String, &str)> {
    let html = html.trim_start_matches(|next: char| next.is_whitespace() || next == '/');
    let key_ends = html.find(|next: char| next.is_whitespace() || "=>/".contains(next))?;
    let (key, rest) = html.split_at(key_ends);
    if key.is_empty() {
        return None;
    }
    let Some(rest) = rest.strip_prefix('=') else { return Some((key, String::new(), rest)) };
    let (value, rest) = match rest.chars().next()? {
        quote @ ('"' | '\'') => rest[1..].split_once(quote)?,
        _ => rest.split_at(rest.find(|next: char| next.is_whitespace() || next == '>')?),
    };
    Some((key, unescaped(value), rest))
}

fn unescaped(value: &str) -> String {
    value.replace("&#x27;", "'").replace("&quot;", "\"").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_and_links_are_found_and_nothing_else() {
        let page = parse(
            "<!-- <a href=\"comment\"> --><h2 id=\"a\" class='x'><a class=\"header\" href=\"#a\">A &lt; b</a></h2>\n\
             <script>const s = '<a href=\"script\">';</script><img alt=\"a > b\" src='p.svg' hidden>\
             <a href=\"b.html?x=1&amp;y=2\" download>b</a><section id=method.spawn></section>",
        );
        assert_eq!(page.anchors.iter().collect::<Vec<_>>(), ["a", "method.spawn"]);
        assert_eq!(page.links.iter().collect::<Vec<_>>(), ["#a", "b.html?x=1&y=2", "p.svg"]);
    }

    #[test]
    fn a_page_that_ends_in_a_tag_is_read_to_there() {
        assert!(parse("<a href=\"x").links.is_empty());
        assert!(parse("<").links.is_empty());
    }
}
