//! Which public items nothing shows at work, by rustdoc's own description of a crate.
//!
//! An item is shown by an example on its page. Or by one on the page that it is a part of, as a method is of its type's: then
//! the example has its name. Or by one on a page that its own has a link to: one that has its name, or of a function that takes
//! or returns it. Fields, variants and what implements a trait need none.

use std::collections::BTreeSet;

use serde_json::Value;

/// A line for each, by its path.
pub(crate) fn without_example(json: &str) -> Result<Vec<String>, String> {
    let described: Value =
        serde_json::from_str(json).map_err(|error| format!("rustdoc wrote no JSON: {error}"))?;
    let mut walk = Walk { index: &described["index"], seen: BTreeSet::new(), missing: Vec::new() };
    let root = walk.item(&described["root"]).ok_or("rustdoc's JSON has no root: has its format changed?")?;
    walk.visit(root, text(&root["name"]), None);
    let few = walk.seen.len() < 10;
    if few {
        Err(format!("rustdoc's JSON shows {} items: has its format changed?", walk.seen.len()))
    } else {
        Ok(walk.missing)
    }
}

struct Walk<'a> {
    /// Every item that is described, by its id.
    index: &'a Value,
    /// The ids of those that were looked at: a type may be exported twice.
    seen: BTreeSet<String>,
    missing: Vec<String>,
}

impl<'a> Walk<'a> {
    fn item(&self, id: &Value) -> Option<&'a Value> {
        self.index.get(key(id))
    }

    /// `item`, which is found at `path`, and what is below it. `part_of` is the type or trait that it is a method of.
    fn visit(&mut self, item: &'a Value, path: &str, part_of: Option<&'a Value>) {
        if !self.seen.insert(key(&item["id"])) {
            return;
        }
        let Some((kind, inner)) = item["inner"].as_object().and_then(|inner| inner.iter().next()) else {
            return;
        };
        match kind.as_str() {
            "use" => match self.item(&inner["id"]) {
                Some(_) if inner["is_glob"] == true => {}
                Some(target) => return self.visit(target, &parent(path, text(&inner["name"])), None),
                // Another crate's: its documentation stands at the `use`, if it has any here.
                None if text(&item["docs"]).is_empty() => return,
                None => {}
            },
            "module" | "struct" | "enum" | "union" | "trait" | "function" | "macro" | "proc_macro" => {}
            _ => return,
        }
        if !self.is_shown(item, part_of) {
            self.missing.push(format!("{path} is shown by no example"));
        }
        for (below, part_of) in self.below(item, kind, inner) {
            let name = below["name"].as_str().unwrap_or_default();
            self.visit(below, &format!("{path}::{name}"), part_of);
        }
    }

    /// What a module holds, and the methods of a type or a trait.
    fn below(&self, item: &'a Value, kind: &str, inner: &'a Value) -> Vec<(&'a Value, Option<&'a Value>)> {
        let items = |list: &'a Value| array(list).filter_map(|id| self.item(id));
        match kind {
            "module" => items(&inner["items"]).map(|below| (below, None)).collect(),
            "trait" => items(&inner["items"]).map(|below| (below, Some(item))).collect(),
            _ => items(&inner["impls"])
                .filter(|block| block["inner"]["impl"]["trait"].is_null())
                .flat_map(|block| items(&block["inner"]["impl"]["items"]))
                .filter(|below| below["visibility"] == "public")
                .map(|below| (below, Some(item)))
                .collect(),
        }
    }

    fn is_shown(&self, item: &Value, part_of: Option<&Value>) -> bool {
        let name = text(&item["name"]);
        let linked = item["links"].as_object().into_iter().flat_map(|links| links.values());
        let mut linked = linked.filter_map(|id| self.item(id));
        !examples(item).is_empty()
            || part_of.is_some_and(|whole| names(&examples(whole), name))
            || linked.any(|other| names(&examples(other), name) || deals_in(other, item))
    }
}

/// Whether `function` is one with an example, and `item` a type in its signature.
fn deals_in(function: &Value, item: &Value) -> bool {
    !examples(function).is_empty() && mentions(&function["inner"]["function"]["sig"], &item["id"])
}

/// Whether this part of a signature has the type `id` in it.
fn mentions(part: &Value, id: &Value) -> bool {
    match part {
        Value::Object(fields) => {
            fields.get("id") == Some(id) || fields.values().any(|part| mentions(part, id))
        }
        Value::Array(parts) => parts.iter().any(|part| mentions(part, id)),
        _ => false,
    }
}

/// The code of an item's page that is Rust, and is at least compiled.
fn examples(item: &Value) -> String {
    let mut code = String::new();
    let mut is_rust = None;
    for line in text(&item["docs"]).lines() {
        match (line.trim_start().strip_prefix("```"), is_rust) {
            (Some(_), Some(_)) => is_rust = None,
            (Some(kind), None) => is_rust = Some(kind.split(',').all(is_compiled)),
            (None, Some(true)) => code.extend([line, "\n"]),
            (None, _) => {}
        }
    }
    code
}

fn is_compiled(word: &str) -> bool {
    ["", "rust", "no_run", "should_panic", "compile_fail"].contains(&word.trim())
}

/// Whether `name` stands in `code` as a word.
fn names(code: &str, name: &str) -> bool {
    code.split(|each: char| !each.is_alphanumeric() && each != '_').any(|word| word == name)
}

fn parent(path: &str, name: &str) -> String {
    let module = path.rsplit_once("::").map_or(path, |(module, _)| module);
    format!("{module}::{name}")
}

/// Ids have been texts and numbers.
fn key(id: &Value) -> String {
    id.as_str().map_or_else(|| id.to_string(), str::to_owned)
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
