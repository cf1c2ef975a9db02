//! The borders of ARCHITECTURE.md, held by reading the dependency graph and the sources.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

fn workspace() -> Metadata {
    MetadataCommand::new()
        .manifest_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml"))
        .no_deps()
        .other_options(vec!["--offline".to_owned()])
        .exec()
        .expect("cargo metadata")
}

fn package<'a>(metadata: &'a Metadata, name: &str) -> &'a Package {
    metadata
        .packages
        .iter()
        .find(|package| package.name.as_str() == name)
        .unwrap_or_else(|| panic!("no package {name} in the workspace"))
}

fn normal_dependencies(package: &Package) -> BTreeSet<String> {
    package
        .dependencies
        .iter()
        .filter(|dependency| dependency.kind == DependencyKind::Normal)
        .map(|dependency| dependency.name.clone())
        .collect()
}

fn all_dependencies(package: &Package) -> BTreeSet<String> {
    package
        .dependencies
        .iter()
        .map(|dependency| dependency.name.clone())
        .collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|err| panic!("{}: {err}", folder.display())) {
        let path = entry.expect("directory entry").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The lines below `folders` that contain one of `needles`, outside comments and the allowed places.
fn lines_with(folders: &[&str], needles: &[&str], allowed: &[&str]) -> Vec<String> {
    let root = root();
    let mut files = Vec::new();
    for folder in folders {
        rust_files(&root.join(folder), &mut files);
    }
    assert!(!files.is_empty(), "nothing to read in {folders:?}");
    let mut found = Vec::new();
    for file in files {
        let name = file
            .strip_prefix(&root)
            .expect("below the root")
            .to_string_lossy()
            .into_owned();
        if allowed.iter().any(|place| name.starts_with(place)) {
            continue;
        }
        let text = fs::read_to_string(&file).expect("readable source");
        for (number, line) in text.lines().enumerate() {
            let is_comment = line.trim_start().starts_with("//");
            if !is_comment && needles.iter().any(|needle| line.contains(needle)) {
                found.push(format!("{name}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    found
}

#[test]
fn policy_depends_on_no_runtime() {
    let metadata = workspace();
    let expected: BTreeSet<String> = ["jiff", "serde", "sha2", "thiserror"]
        .map(String::from)
        .into();
    assert_eq!(
        normal_dependencies(package(&metadata, "ringfence-policy")),
        expected
    );
}

#[test]
fn limiter_and_api_do_not_know_each_other() {
    let metadata = workspace();
    let limiter = all_dependencies(package(&metadata, "ringfence-limiter"));
    for absent in ["ringfence-api", "ringfence-simulator", "axum", "sqlx"] {
        assert!(!limiter.contains(absent), "limiter depends on {absent}");
    }
    let api = all_dependencies(package(&metadata, "ringfence-api"));
    for absent in ["ringfence-limiter", "ringfence-simulator"] {
        assert!(!api.contains(absent), "api depends on {absent}");
    }
}

#[test]
fn simulator_shares_no_code_with_what_it_tests() {
    let metadata = workspace();
    let simulator = all_dependencies(package(&metadata, "ringfence-simulator"));
    for dependency in &simulator {
        assert!(
            !dependency.starts_with("aws-sdk-") && !dependency.starts_with("ringfence-"),
            "simulator depends on {dependency}"
        );
    }
}

#[test]
fn sql_stands_only_in_the_store() {
    let found = lines_with(
        &["policy/src", "limiter/src", "api/src"],
        &["sqlx"],
        &["api/src/store/"],
    );
    assert!(
        found.is_empty(),
        "sqlx outside api/src/store:\n{}",
        found.join("\n")
    );
}

#[test]
fn aws_calls_stand_only_in_the_adapters() {
    let found = lines_with(
        &["policy/src", "limiter/src", "api/src", "simulator/src"],
        &["aws_sdk_"],
        &["api/src/aws/", "limiter/src/adapters/"],
    );
    assert!(
        found.is_empty(),
        "AWS SDK outside the adapters:\n{}",
        found.join("\n")
    );
}

#[test]
fn each_program_reads_numbers_in_one_module() {
    let found = lines_with(
        &["policy/src", "limiter/src", "api/src", "simulator/src"],
        &["rlibphonenumber"],
        &["api/src/domain/phone.rs", "limiter/src/number.rs"],
    );
    assert!(
        found.is_empty(),
        "the phone number library elsewhere:\n{}",
        found.join("\n")
    );
}

/// The other places ask addresses that the operator has set: the identity provider's.
#[test]
fn requests_leave_through_the_guard() {
    let found = lines_with(
        &["api/src"],
        &["reqwest"],
        &[
            "api/src/outbound/",
            "api/src/auth/jwt/",
            "api/src/auth/provider_client.rs",
        ],
    );
    assert!(
        found.is_empty(),
        "an HTTP client outside api/src/outbound:\n{}",
        found.join("\n")
    );
}

#[test]
fn axum_stands_only_in_the_http_layer() {
    let found = lines_with(
        &["policy/src", "limiter/src", "api/src"],
        &["axum::"],
        &["api/src/http/"],
    );
    assert!(
        found.is_empty(),
        "axum outside api/src/http:\n{}",
        found.join("\n")
    );
}

/// `clippy.toml` bans the ambient clock and dice; this holds that each exception says why.
#[test]
fn ambient_time_is_asked_only_where_the_exception_is_explained() {
    let found = lines_with(
        &["policy/src", "limiter/src", "api/src", "simulator/src"],
        &["allow(clippy::disallowed_methods"],
        &[],
    );
    assert!(
        found.is_empty(),
        "use #[expect(…, reason)]:\n{}",
        found.join("\n")
    );
    let inside_policy = lines_with(
        &["policy/src"],
        &["disallowed_methods", "Instant::now", "SystemTime"],
        &[],
    );
    assert!(
        inside_policy.is_empty(),
        "policy asks for the time:\n{}",
        inside_policy.join("\n")
    );
}

#[test]
fn settings_are_read_from_the_environment_in_one_place_per_program() {
    let found = lines_with(
        &["policy/src", "limiter/src", "api/src"],
        &["env::var"],
        // What Lambda tells of AWS is not a setting of ours.
        &[
            "api/src/config",
            "limiter/src/config",
            "limiter/src/adapters/clients",
        ],
    );
    assert!(
        found.is_empty(),
        "environment read outside config:\n{}",
        found.join("\n")
    );
}

#[test]
fn every_module_says_what_it_is_for() {
    let root = root();
    let mut files = Vec::new();
    for folder in ["policy/src", "limiter/src", "api/src", "simulator/src"] {
        rust_files(&root.join(folder), &mut files);
    }
    let silent: Vec<String> = files
        .iter()
        .filter(|file| {
            !fs::read_to_string(file)
                .expect("readable source")
                .trim_start()
                .starts_with("//!")
        })
        .map(|file| {
            file.strip_prefix(&root)
                .expect("below the root")
                .display()
                .to_string()
        })
        .collect();
    assert!(
        silent.is_empty(),
        "no module documentation:\n{}",
        silent.join("\n")
    );
}

/// The names that a path with this beginning goes on with: one, or several in braces.
fn named_after(text: &str, beginning: &str) -> BTreeSet<String> {
    let name = |path: &str| -> String {
        let is_part = |char: &char| char.is_ascii_alphanumeric() || *char == '_';
        path.trim_start().chars().take_while(is_part).collect()
    };
    let mut found = BTreeSet::new();
    for (place, _) in text.match_indices(beginning) {
        let rest = &text[place + beginning.len()..];
        match rest.strip_prefix('{') {
            Some(list) => {
                let list = list.split(';').next().unwrap_or_default();
                found.extend(list.split(',').map(name));
            }
            None => {
                found.insert(name(rest));
            }
        }
    }
    found
}

/// So that each can be read, and changed, with only what it stands on in mind.
#[test]
fn modules_of_the_http_layer_depend_one_way() {
    let folder = root().join("api/src/http");
    let mut files = Vec::new();
    rust_files(&folder, &mut files);
    let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in &files {
        let below = file.strip_prefix(&folder).expect("below");
        let depth = below.components().count();
        let first = below.components().next().expect("a name");
        let first = first.as_os_str().to_string_lossy();
        let module = first.trim_end_matches(".rs").to_owned();
        if module == "mod" {
            continue;
        }
        let text = fs::read_to_string(file).expect("readable source");
        let is_root = depth == 1 || (depth == 2 && below.ends_with("mod.rs"));
        let mut named = named_after(&text, "crate::http::");
        if is_root {
            named.extend(named_after(&text, "use super::"));
        } else if depth == 2 {
            named.extend(named_after(&text, "super::super::"));
        }
        named.remove(&module);
        uses.entry(module).or_default().extend(named);
    }
    let modules: BTreeSet<String> = uses.keys().cloned().collect();
    for named in uses.values_mut() {
        named.retain(|name| modules.contains(name));
    }
    assert!(uses.len() > 20 && uses["v1"].contains("caller"));
    while let Some(free) = uses
        .iter()
        .find(|(_, named)| named.is_empty())
        .map(|(module, _)| module.clone())
    {
        uses.remove(&free);
        for named in uses.values_mut() {
            named.remove(&free);
        }
    }
    assert!(uses.is_empty(), "in a circle, or upon one: {uses:?}");
}
