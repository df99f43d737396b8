//! Which public items nothing shows at work, by rustdoc's own description of a crate.
//!
//! An item is shown by an example on its page. Or by one on the page that it is a part of, as a method is of its type's: then
//! the example has its name. Or by one on a page that its own has a link to: one that has its name, or of a function that takes
//! or returns it. Fields, variants and what implements a trait need none.

use std::collections::BTreeSet;

use serde_json::Value;

/// Fewer public items than any crate of ours has.
const FEW: usize = 10;

/// A line for each, by its path.
pub(crate) fn without_example(json: &str) -> Result<Vec<String>, String> {
    let (seen, missing) = walk(json)?;
    if seen < FEW {
        return Err(format!("rustdoc's JSON shows {seen} items: has its format changed?"));
    }
    Ok(missing)
}

/// How many items there are, and a line for each that nothing shows.
fn walk(json: &str) -> Result<(usize, Vec<String>), String> {
    let described: Value =
        serde_json::from_str(json).map_err(|error| format!("rustdoc wrote no JSON: {error}"))?;
    let mut walk = Walk { index: &described["index"], seen: BTreeSet::new(), missing: Vec::new() };
    let root = walk.item(&described["root"]).ok_or("rustdoc's JSON has no root: has its format changed?")?;
    walk.visit(root, text(&root["name"]), None);
    Ok((walk.seen.len(), walk.missing))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A crate `a` with the type `T` and its method `go`, the error `E`, and the function `try_go` that returns it.
    fn missing(of_type: &str, of_method: &str, of_error: &str, of_function: &str) -> Vec<String> {
        let json = serde_json::json!({"root": 0, "index": {
            "0": {"id": 0, "name": "a", "docs": "```\nstart();\n```", "inner": {"module": {"items": [1, 4, 5, 6]}}},
            "1": {"id": 1, "name": "T", "docs": of_type, "inner": {"struct": {"impls": [2]}}},
            "2": {"id": 2, "name": null, "inner": {"impl": {"trait": null, "items": [3]}}},
            "3": {"id": 3, "name": "go", "visibility": "public", "docs": of_method, "inner": {"function": {}}},
            "4": {"id": 4, "name": "E", "docs": of_error, "links": {"try_go": 5}, "inner": {"enum": {"impls": []}}},
            "5": {"id": 5, "name": "try_go", "docs": of_function, "inner":
                  {"function": {"sig": {"output": {"resolved_path": {"id": 4}}}}}},
            "6": {"id": 6, "name": null, "docs": "", "inner": {"use": {"id": 1, "name": "Again", "is_glob": false}}}}});
        walk(&json.to_string()).expect("it is such a description").1
    }

    #[test]
    fn an_example_shows_its_item_the_methods_it_names_and_the_types_it_deals_in() {
        let (type_, function) = ("```\nT.go();\n```", "```\na::try_go();\n```");
        assert_eq!(missing(type_, "Goes.", "Why not.", function), [""; 0]);
    }

    #[test]
    fn what_is_not_shown_is_told_by_its_path() {
        let told = missing("```\nT.going();\n```", "```text\ngo\n```", "```ignore\nE\n```", "Tries.");
        assert_eq!(
            told,
            ["a::T::go", "a::E", "a::try_go"].map(|path| format!("{path} is shown by no example"))
        );
    }

    #[test]
    fn another_format_is_no_success() {
        assert!(without_example("{}").unwrap_err().contains("has no root"));
        assert!(
            without_example(r#"{"root": 0, "index": {"0": {"id": 0}}}"#)
                .unwrap_err()
                .contains("shows 1 items")
        );
    }
}
