//! Where the links of the book lead: to its own pages, to files of the project, to the pages that rustdoc writes, or out.
//!
//! Nothing is asked of the net: what leads out is only looked at.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::page;
use crate::publish::PUBLISHED;

/// The chapters' folder: a link that leaves the book starts there.
const CHAPTERS: &str = "guide/src";

/// How a file is read: its text, an empty one for what is no text, none if it is not there.
type Read<'a> = &'a dyn Fn(&Path) -> Option<String>;

/// Folders that links lead into.
pub(crate) struct Site<'a> {
    /// The rendered book.
    pub(crate) book: PathBuf,
    /// The project.
    pub(crate) root: PathBuf,
    /// What rustdoc wrote.
    pub(crate) doc: PathBuf,
    pub(crate) read: Read<'a>,
    /// The pages that were read, and what anchors each has.
    seen: BTreeMap<PathBuf, Option<Vec<String>>>,
}

impl<'a> Site<'a> {
    pub(crate) fn new(book: PathBuf, root: PathBuf, doc: PathBuf, read: Read<'a>) -> Self {
        Site { book, root, doc, read, seen: BTreeMap::new() }
    }

    /// The links of the book's page `name` that lead nowhere, a line for each.
    pub(crate) fn faults(&mut self, name: &str) -> Result<Vec<String>, String> {
        let html =
            (self.read)(&self.book.join(name)).ok_or_else(|| format!("the book has no page {name}"))?;
        let links = page::parse(&html).links;
        let told =
            |link: &String| self.lead(name, link).err().map(|error| format!("{name}: `{link}` {error}"));
        Ok(links.iter().filter_map(told).collect())
    }

    fn lead(&mut self, name: &str, link: &str) -> Result<(), String> {
        if let Some(item) = link.strip_prefix("https://docs.rs/") {
            return self.documented(item);
        }
        if let Some(outside) = link.strip_prefix("https://").or(link.strip_prefix("http://")) {
            return well_formed(outside);
        }
        let (path, anchor) = parted(link);
        let folder = Path::new(name).parent().unwrap_or(Path::new(""));
        let path = if path.is_empty() { PathBuf::from(name) } else { normal(&folder.join(path)) };
        if !path.starts_with("..") {
            return self.enter(self.book.join(path), anchor);
        }
        self.enter(self.in_project(&path), anchor)
    }

    /// A path that leaves the book. mdBook makes `.html` of every `.md`, also of files that it does not render.
    fn in_project(&self, path: &Path) -> PathBuf {
        let path = self.root.join(normal(&Path::new(CHAPTERS).join(path)));
        if path.extension().is_some_and(|ending| ending == "html") { path.with_extension("md") } else { path }
    }

    /// `item` is `CRATE/VERSION/PATH#ANCHOR`.
    fn documented(&mut self, item: &str) -> Result<(), String> {
        let (path, anchor) = parted(item);
        let mut parts = path.splitn(3, '/');
        let (name, version, path) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
        if !PUBLISHED.contains(&name) || version.is_none() {
            return Ok(());
        }
        if version != Some("latest") {
            return Err("is a version's own page: that of `latest` does not age".to_owned());
        }
        let path = path.map(str::to_owned).filter(|path| !path.is_empty());
        let mut path = path.unwrap_or_else(|| format!("{}/", name.replace('-', "_")));
        if path.ends_with('/') {
            path.push_str("index.html");
        }
        self.enter(self.doc.join(path), anchor)
    }

    fn enter(&mut self, file: PathBuf, anchor: Option<&str>) -> Result<(), String> {
        let read = self.read;
        let anchors = self.seen.entry(file.clone()).or_insert_with(|| Some(anchors(&file, &read(&file)?)));
        match (anchors, anchor) {
            (None, _) => Err("leads to a file that is not there".to_owned()),
            (Some(anchors), Some(anchor)) if !anchors.iter().any(|known| known == anchor) => {
                Err("leads to an anchor that is not there".to_owned())
            }
            _ => Ok(()),
        }
    }
}

fn parted(link: &str) -> (&str, Option<&str>) {
    let (path, anchor) = link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor)));
    (path.split('?').next().unwrap_or(path), anchor)
}

/// `path` without `.`, and without `..` but in front.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if normal.file_name().is_some() => drop(normal.pop()),
            part => normal.push(part),
        }
    }
    normal
}

fn well_formed(link: &str) -> Result<(), String> {
    let host = link.split(['/', '#', '?']).next().unwrap_or_default();
    let fine = host.contains('.') && link.chars().all(|next| next.is_ascii_graphic());
    if fine { Ok(()) } else { Err("is no address".to_owned()) }
}

fn anchors(file: &Path, text: &str) -> Vec<String> {
    if file.extension().is_some_and(|ending| ending == "md") {
        return text.lines().filter(|line| line.starts_with('#')).map(slug).collect();
    }
    page::parse(text).anchors.into_iter().collect()
}

/// A heading's anchor, as forges make it.
fn slug(heading: &str) -> String {
    let heading = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = heading.chars().filter(|next| next.is_alphanumeric() || " -_".contains(*next));
    kept.map(|next| if next == ' ' { '-' } else { next }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: [(&str, &str); 5] = [
        ("/book/a.html", "<h1 id=\"top\">"),
        ("/book/diagram.svg", ""),
        ("/root/README.md", "# A `pond`, & more\n"),
        ("/doc/millpond/struct.Pool.html", "<section id=\"method.spawn\">"),
        ("/doc/millpond_nats/index.html", ""),
    ];

    /// What a page `a.html` that has this link is told of it.
    fn told(link: &str) -> Option<String> {
        let html = format!("<h1 id=\"top\"><a href=\"{link}\">");
        let read = |path: &Path| {
            let found = FILES.iter().find(|(name, _)| Path::new(name) == path);
            if path == Path::new("/book/b.html") {
                Some(html.clone())
            } else {
                found.map(|(_, text)| (*text).into())
            }
        };
        let mut site = Site::new("/book".into(), "/root".into(), "/doc".into(), &read);
        let faults = site.faults("b.html").expect("the page is there");
        assert!(faults.len() <= 1, "{faults:?}");
        faults.into_iter().next()
    }

    #[test]
    fn links_within_the_book_lead_to_a_file_and_an_anchor() {
        for fine in ["a.html", "a.html#top", "#top", "./diagram.svg"] {
            assert_eq!(told(fine), None);
        }
        assert_eq!(
            told("c.html").expect("c is not there"),
            "b.html: `c.html` leads to a file that is not there"
        );
        for lost in ["a.html#bottom", "#bottom"] {
            assert!(told(lost).expect("no page has it").ends_with("leads to an anchor that is not there"));
        }
    }

    #[test]
    fn links_out_of_the_book_lead_to_files_of_the_project() {
        for fine in ["../../README.html", "../../README.md", "../../README.html#a-pond--more"] {
            assert_eq!(told(fine), None);
        }
        for lost in ["../../NOTHING.html", "../README.html", "../../README.html#less"] {
            assert!(told(lost).is_some(), "{lost}");
        }
    }

    #[test]
    fn links_to_docs_rs_are_held_to_what_rustdoc_writes() {
        let pool = "https://docs.rs/millpond/latest/millpond/struct.Pool.html";
        assert_eq!(told(pool), None);
        assert_eq!(told(&format!("{pool}#method.spawn")), None);
        assert_eq!(told("https://docs.rs/millpond"), None);
        assert_eq!(told("https://docs.rs/millpond-nats/latest/millpond_nats/"), None);
        assert_eq!(told("https://docs.rs/tokio/1/tokio/struct.Anything.html"), None);
        assert!(told(&format!("{pool}#method.spin")).is_some());
        assert!(told("https://docs.rs/millpond/latest/millpond/struct.Pond.html").is_some());
        assert!(told("https://docs.rs/millpond/0.1.0/millpond/struct.Pool.html").is_some());
    }

    #[test]
    fn other_addresses_are_looked_at_only() {
        assert_eq!(told("https://tokio.rs/blog#x"), None);
        assert!(told("https://nowhere").is_some());
        assert!(told("https://a b.c").is_some());
    }
}
