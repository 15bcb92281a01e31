//! From YAML to an item that makes sense, or findings with line and column.

use std::{collections::HashMap, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_saphyr::Spanned;

use super::{
    checking,
    locating::{Node, Step},
    schema::{Item, Shared},
};

/// The longest file, in bytes.
pub const LONGEST: usize = 512 << 10;

/// Something wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The line, from 1.
    pub line: u64,
    /// The column in characters, from 1.
    pub column: u64,
    /// What is wrong and what to do, in Chinese.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)
    }
}

/// Reads an item, together with what the files of its folder share.
///
/// # Errors
/// Everything that is wrong with it; of a file that is no YAML, or that has unknown or missing keys, the first such thing.
pub fn read_item(source: &str, shared: &Shared) -> Result<Item, Vec<Finding>> {
    let mut item: Item = read(source)?;
    let findings = {
        let own = (item.parameters.len(), item.basis.len());
        item.parameters.extend(shared.parameters.clone());
        item.basis.extend(shared.basis.clone());
        checking::check(&item, own)
    };
    if findings.is_empty() {
        return Ok(item);
    }
    Err(placed(source, findings))
}

/// What is wrong, with where it stands.
pub(crate) fn placed(source: &str, faults: Vec<Fault>) -> Vec<Finding> {
    // It was read once, so it can be read again.
    let tree: Spanned<Node> = match read(source) {
        Ok(tree) => tree,
        Err(findings) => return findings,
    };
    let mut placed: Vec<Finding> = faults
        .into_iter()
        .map(|(path, message)| {
            let place = Node::find(&tree, &path);
            Finding {
                line: place.line,
                column: place.column,
                message,
            }
        })
        .collect();
    placed.sort_by_key(|f| (f.line, f.column));
    placed
}

/// Reads what the files of a folder share.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn read_shared(source: &str) -> Result<Shared, Vec<Finding>> {
    read(source)
}

/// A path into a file, with what is wrong there.
pub(crate) type Fault = (Vec<Step>, String);

pub(crate) fn read<T: DeserializeOwned>(source: &str) -> Result<T, Vec<Finding>> {
    if source.len() > LONGEST {
        return Err(vec![Finding {
            line: 1,
            column: 1,
            message: format!("文件超过{}KB。", LONGEST >> 10),
        }]);
    }
    serde_saphyr::from_str(source).map_err(|error| {
        let place = error.location();
        vec![Finding {
            line: place.map_or(1, |p| p.line().max(1)),
            column: place.map_or(1, |p| p.column().max(1)),
            message: chinese(&error.without_snippet().to_string()),
        }]
    })
}

/// What the parser says, for people who read Chinese.
fn chinese(message: &str) -> String {
    let message = message
        .rsplit_once(" at line ")
        .map_or(message, |(said, _)| said);
    let quoted = || message.split('`').nth(1).unwrap_or_default();
    if message.starts_with("unknown field") {
        let known = message.split("expected").nth(1).unwrap_or_default();
        let known = known.trim_start_matches(" one of").trim();
        format!("没有“{}”这个键。可以用的键：{known}", quoted())
    } else if message.starts_with("missing field") {
        format!("少了“{}”", quoted())
    } else if message.starts_with("unknown variant") {
        let known = message.split("expected").nth(1).unwrap_or_default();
        format!(
            "没有“{}”这个取值。可以用的取值：{}",
            quoted(),
            known.trim_start_matches(" one of").trim()
        )
    } else if message.starts_with("duplicate mapping key") {
        let key = message.split(": ").nth(1).unwrap_or_default();
        format!("“{}”写了两次", key.split(',').next().unwrap_or_default())
    } else if message.contains("算式") {
        message.to_owned()
    } else if message.starts_with("invalid") {
        format!("这里的内容类型不对（{message}）")
    } else {
        format!("不是合格的 YAML（{message}）")
    }
}

type Read<'a> = Result<(Item, &'a str), Vec<Finding>>;

/// Reads files: each item with the text of what its folder shares. Two items of one id are a finding.
pub fn read_files(files: &[(String, String)]) -> Vec<(String, Read<'_>)> {
    let folder = |path: &str| {
        path.rsplit_once(['/', '\\'])
            .map(|p| p.0.to_owned())
            .unwrap_or_default()
    };
    let is_shared = |path: &str| path.rsplit(['/', '\\']).next() == Some("parameters.yaml");
    let shared: HashMap<String, &str> = files
        .iter()
        .filter(|f| is_shared(&f.0))
        .map(|f| (folder(&f.0), f.1.as_str()))
        .collect();
    let mut seen: HashMap<String, String> = HashMap::new();
    let mut read = Vec::new();
    for (path, source) in files {
        if is_shared(path) {
            if let Err(findings) = read_shared(source) {
                read.push((path.clone(), Err(findings)));
            }
            continue;
        }
        let text = shared.get(&folder(path)).copied().unwrap_or("{}");
        let common: Shared = read_shared(text).unwrap_or_default();
        let item = read_item(source, &common).and_then(|item| {
            match seen.insert(item.id.clone(), path.clone()) {
                Some(other) => Err(vec![Finding {
                    line: 1,
                    column: 1,
                    message: format!("id“{}”已经在 {other} 里用了", item.id),
                }]),
                None => Ok((item, text)),
            }
        });
        read.push((path.clone(), item));
    }
    read
}
