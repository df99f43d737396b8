//! What the core is built from.

use crate::command::Command;
use crate::step::Outcome;
use crate::workspace::Workspace;

/// Crates that must not come with the core: other runtimes, and what its tests and examples alone need.
const NOT_IN_THE_CORE: [&str; 10] = [
    "async-nats",
    "async-std",
    "blake3",
    "ctrlc",
    "hyper",
    "indicatif",
    "lexopt",
    "smol",
    "tokio",
    "trybuild",
];

pub(crate) fn core_is_light(workspace: &Workspace) -> Outcome {
    let lines = resolved(workspace.cargo().words("tree -p millpond -e normal --all-features"))?;
    let heavy: Vec<&str> =
        lines.iter().map(|line| name(line)).filter(|name| NOT_IN_THE_CORE.contains(name)).collect();
    if !heavy.is_empty() {
        return Err(format!("millpond must not bring {} along", heavy.join(", ")).into());
    }
    println!("{} crates, none of them {}", lines.len(), NOT_IN_THE_CORE.join(", "));
    Ok(())
}

/// The features that `package`, built alone with its tests, gives to `dependency`. One list for each build of it.
pub(crate) fn features_of(
    workspace: &Workspace,
    dependency: &str,
    package: &str,
) -> Result<Vec<Vec<String>>, String> {
    let tree = workspace.cargo().words("tree -e normal,build,dev -p").arg(package);
    let lists: Vec<Vec<String>> =
        resolved(tree)?.iter().filter(|line| name(line) == dependency).map(|line| features(line)).collect();
    if lists.is_empty() {
        return Err(format!("{package} does not depend on {dependency}"));
    }
    Ok(lists)
}

/// The packages of a `cargo tree`, as lines `NAME VERSION… [FEATURE,…]`, each once.
fn resolved(tree: Command) -> Result<Vec<String>, String> {
    let text = tree.words("--prefix none --no-dedupe -f").arg("{p} [{f}]").text()?;
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort_unstable();
    lines.dedup();
    Ok(lines)
}

fn name(line: &str) -> &str {
    line.split(' ').next().unwrap_or_default()
}

fn features(line: &str) -> Vec<String> {
    let list = line.rsplit_once(" [").map_or("", |(_, list)| list.trim_end_matches(']'));
    list.split(',').filter(|feature| !feature.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_tree_is_a_name_and_features() {
        let line = "monoio v0.2.4 (/some where/else [x]) [iouring,legacy]";
        assert_eq!(name(line), "monoio");
        assert_eq!(features(line), ["iouring", "legacy"]);
        assert!(features("slab v0.4.11 []").is_empty());
        assert!(features("").is_empty());
    }
}
