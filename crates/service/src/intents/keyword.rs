//! Matching of keywords: what the recogniser is compared with.

use std::collections::HashSet;

use super::ItemWords;

/// Items by how many pairs of characters of their names and aliases a message holds.
pub struct Keywords {
    items: Vec<(String, HashSet<[char; 2]>)>,
}

impl Keywords {
    /// Takes the keywords from names and aliases.
    pub fn new(items: &[ItemWords]) -> Self {
        let items = items.iter().map(|item| {
            let texts = std::iter::once(&item.name).chain(&item.aliases);
            let pairs = texts.flat_map(|text| pairs(text)).collect();
            (item.name.clone(), pairs)
        });
        Self {
            items: items.collect(),
        }
    }

    /// The items with keywords in the message, most first.
    pub fn items(&self, message: &str) -> Vec<&str> {
        let said: HashSet<[char; 2]> = pairs(message).into_iter().collect();
        let mut found: Vec<(usize, &str)> = self
            .items
            .iter()
            .map(|(name, pairs)| (pairs.intersection(&said).count(), name.as_str()))
            .filter(|(count, _)| *count > 0)
            .collect();
        found.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        found.into_iter().map(|(_, name)| name).collect()
    }
}

fn pairs(text: &str) -> Vec<[char; 2]> {
    let chars: Vec<char> = lang::token::normalise(text).chars().collect();
    chars
        .windows(2)
        .filter(|w| w.iter().all(|c| c.is_alphanumeric()))
        .map(|w| [w[0], w[1]])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_item_with_most_keywords_comes_first() {
        let item = |name: &str, alias: &str| ItemWords {
            name: name.to_owned(),
            aliases: vec![alias.to_owned()],
            ..ItemWords::default()
        };
        let items = [
            item("失业登记", "办失业证"),
            item("失业保险金申领", "领失业金"),
        ];
        let keywords = Keywords::new(&items);
        assert_eq!(keywords.items("怎么领失业金")[0], "失业保险金申领");
        assert!(keywords.items("今天天气").is_empty());
    }
}
