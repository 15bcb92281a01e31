//! From YAML to a policy that makes sense, or findings with line and column.

use std::collections::HashMap;

use super::{profile, schema::Policy};
use crate::items::{
    checking,
    locating::Step::{At, Key},
    reading::{Fault, Finding, placed, read},
};

/// Reads a policy.
///
/// # Errors
/// Everything that is wrong with it; of a file that is no YAML, or that has unknown or missing keys, the first such thing.
pub fn read_policy(source: &str) -> Result<Policy, Vec<Finding>> {
    let policy: Policy = read(source)?;
    let faults = check(&policy);
    if faults.is_empty() {
        Ok(policy)
    } else {
        Err(placed(source, faults))
    }
}

/// Reads files. Two policies of one id are a finding.
pub fn read_policies(files: &[(String, String)]) -> Vec<(String, Result<Policy, Vec<Finding>>)> {
    let mut seen: HashMap<String, &str> = HashMap::new();
    let mut read = Vec::new();
    for (path, source) in files {
        let policy =
            read_policy(source).and_then(|policy| match seen.insert(policy.id.clone(), path) {
                Some(other) => Err(vec![Finding {
                    line: 1,
                    column: 1,
                    message: format!("id“{}”已经在 {other} 里用了", policy.id),
                }]),
                None => Ok(policy),
            });
        read.push((path.clone(), policy));
    }
    read
}

/// Whether a file is meant as a policy: it lies in a folder `support`, or names its document and asks no fields.
pub fn is_policy(path: &str, source: &str) -> bool {
    let mut folders: Vec<&str> = path.split(['/', '\\']).collect();
    folders.pop();
    let has = |key: &str| source.lines().any(|line| line.starts_with(key));
    folders.contains(&"support") || has("document:") && !has("fields:")
}

fn check(policy: &Policy) -> Vec<Fault> {
    let own = (policy.parameters.len(), policy.basis.len());
    let mut faults = checking::check_rules(&policy.as_item(), own);
    let mut say = |path, message: &str| faults.push((path, message.to_owned()));
    let needed = [
        ("document", &policy.document),
        ("agency", &policy.agency),
        ("region", &policy.region),
    ];
    for (key, value) in needed {
        if value.trim().is_empty() {
            say(vec![Key(key)], "这里不能空着");
        }
    }
    if policy.topics.is_empty() {
        say(vec![Key("topics")], "至少写一个主题");
    }
    if policy.until.is_some_and(|until| until < policy.from) {
        say(vec![Key("until")], "结束的日子比开始的早");
    }
    if policy.rules.is_empty() {
        say(vec![Key("rules")], "至少要有一个条件");
    }
    let headlines = policy.amounts.iter().filter(|a| a.headline).count();
    if headlines != 1 {
        say(
            vec![Key("amounts")],
            "要有一个好处写 headline: true，也只能有一个",
        );
    }
    for (at, amount) in policy.amounts.iter().enumerate() {
        if amount.basis.is_empty() {
            say(vec![Key("amounts"), At(at)], "好处要有依据：basis");
        }
    }
    for (at, material) in policy.materials.iter().enumerate() {
        let unknown = material
            .check
            .iter()
            .find(|id| profile::fields().iter().all(|f| f.id != **id));
        if let Some(id) = unknown {
            say(
                vec![Key("materials"), At(at), Key("check")],
                &format!("企业档案里没有“{id}”"),
            );
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = include_str!("../../../../demo/support/green-factory.yaml");

    fn faults(source: &str) -> String {
        let found = read_policy(source).unwrap_err();
        assert!(found.iter().all(|f| f.line > 0 && f.column > 0));
        found
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn a_sound_policy_is_read() {
        let policy = read_policy(SOUND).unwrap();
        assert_eq!(
            (policy.id.as_str(), policy.automatic),
            ("green-factory", true)
        );
        assert_eq!(policy.headline().map(|a| a.id.as_str()), Some("prize"));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (from, to, said) in [
            ("agency:", "agencies:", "没有“agencies”这个键"),
            (
                "automatic: true",
                "automatic: true\nfields: []",
                "没有“fields”这个键",
            ),
            (
                "until: 2028-10-14",
                "until: 2020-10-14",
                "结束的日子比开始的早",
            ),
            (
                "topics: [绿色低碳, 工业升级, 奖励]",
                "topics: []",
                "至少写一个主题",
            ),
            ("not dishonest", "not dishonesty", "dishonesty"),
            (
                "energy_saved_tce >= 500",
                "energy_saved_tce >= \"x\"",
                "不能拿数和文字比较",
            ),
            (
                "industry == \"manufacturing\"",
                "industry == \"factory\"",
                "factory",
            ),
            ("    headline: true\n", "", "headline"),
            (
                "basis: [honest] }",
                "basis: [honesty] }",
                "没有叫“honesty”的依据",
            ),
            ("basis: [honest] }", "basis: [] }", "条件要有依据"),
            ("from: 2025-10-15\nuntil", "from: 昨天\nuntil", ""),
        ] {
            assert!(SOUND.contains(from), "{from}");
            let said_of_it = faults(&SOUND.replacen(from, to, 1));
            assert!(said_of_it.contains(said), "{to}: {said_of_it}");
        }
        assert!(faults("").contains("1:1"));
        assert!(faults("[]").starts_with("1:"));
        let twice = [
            ("a".to_owned(), SOUND.to_owned()),
            ("b".to_owned(), SOUND.to_owned()),
        ];
        let read = read_policies(&twice);
        assert!(read[0].1.is_ok() && read[1].1.is_err());
    }

    #[test]
    fn a_policy_file_is_told_from_an_item() {
        assert!(is_policy("x/support/a.yaml", ""));
        assert!(is_policy("a.yaml", SOUND));
        assert!(!is_policy("support.yaml", "id: a\nfields:\n"));
        assert!(!is_policy("a.yaml", "document: 甲\nfields:\n"));
    }
}
