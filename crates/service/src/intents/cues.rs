//! The lexicon of cues: what everyday words say about the matter meant (`data/cues.tsv`).

use std::collections::HashMap;

use regex::Regex;

/// The lexicon that comes with the program.
const LEXICON: &str = include_str!("data/cues.tsv");

/// Read once, then asked of each message.
pub(super) struct Cues {
    concepts: Vec<Concept>,
    rules: Vec<Rule>,
}

struct Concept {
    name: String,
    pattern: Regex,
    /// What only looks like the concept: 社保卡 is no 社保.
    masked: Option<Regex>,
}

struct Rule {
    /// The name of an item, or an intent with an exclamation mark before it.
    target: String,
    weight: f32,
    conditions: Vec<Condition>,
    /// As it stands in the lexicon, for whoever wants to know why.
    text: String,
}

struct Condition {
    wanted: bool,
    concepts: Vec<usize>,
    pattern: Option<Regex>,
}

/// What the lexicon says of a message.
pub(super) struct Evidence {
    /// The concepts that occur, by place.
    pub(super) concepts: Vec<usize>,
    /// Weight by target, with the rules that gave it.
    pub(super) targets: HashMap<String, (f32, Vec<String>)>,
}

impl Evidence {
    /// The weight for a target.
    pub(super) fn of(&self, target: &str) -> f32 {
        self.targets.get(target).map_or(0.0, |(weight, _)| *weight)
    }
}

impl Cues {
    /// The lexicon that comes with the program.
    pub(super) fn new() -> Self {
        Self::read(LEXICON)
    }

    /// Lines that cannot be read are passed over; a test sees to it that there are none.
    fn read(text: &str) -> Self {
        let mut cues = Self {
            concepts: Vec::new(),
            rules: Vec::new(),
        };
        for line in lines(text) {
            if let Some(concept) = line.strip_prefix('@') {
                cues.concepts.extend(Concept::read(concept));
            } else {
                cues.rules.extend(Rule::read(line, &cues.concepts));
            }
        }
        cues
    }

    pub(super) fn concepts(&self) -> usize {
        self.concepts.len()
    }

    /// What the lexicon says of a normalised message.
    pub(super) fn of(&self, text: &str) -> Evidence {
        let there: Vec<bool> = self.concepts.iter().map(|c| c.is_in(text)).collect();
        let mut targets: HashMap<String, (f32, Vec<String>)> = HashMap::new();
        for rule in &self.rules {
            if rule.conditions.iter().all(|c| c.holds(text, &there)) {
                let entry = targets.entry(rule.target.clone()).or_default();
                entry.0 += rule.weight;
                entry.1.push(rule.text.clone());
            }
        }
        let concepts = (0..there.len()).filter(|place| there[*place]).collect();
        Evidence { concepts, targets }
    }
}

impl Concept {
    fn read(line: &str) -> Option<Self> {
        let mut fields = line.split('\t');
        Some(Self {
            name: fields.next()?.to_owned(),
            pattern: Regex::new(fields.next()?).ok()?,
            masked: match fields.next() {
                Some(masked) => Some(Regex::new(masked).ok()?),
                None => None,
            },
        })
    }

    fn is_in(&self, text: &str) -> bool {
        match &self.masked {
            Some(masked) if masked.is_match(text) => {
                self.pattern.is_match(&masked.replace_all(text, " "))
            }
            _ => self.pattern.is_match(text),
        }
    }
}

impl Rule {
    fn read(line: &str, concepts: &[Concept]) -> Option<Self> {
        let mut fields = line.split('\t');
        let target = fields.next()?.to_owned();
        let weight = fields.next()?.parse().ok()?;
        let text = fields.next()?;
        let conditions = text.split(' ').filter(|c| !c.is_empty());
        Some(Self {
            target,
            weight,
            conditions: conditions
                .map(|c| Condition::read(c, concepts))
                .collect::<Option<_>>()?,
            text: text.to_owned(),
        })
    }
}

impl Condition {
    fn read(text: &str, known: &[Concept]) -> Option<Self> {
        let (wanted, text) = match text.strip_prefix('!') {
            Some(rest) => (false, rest),
            None => (true, text),
        };
        let (mut concepts, mut patterns) = (Vec::new(), Vec::new());
        for alternative in alternatives(text) {
            match alternative.strip_prefix('@') {
                Some(name) => concepts.push(known.iter().position(|c| c.name == name)?),
                None => patterns.push(alternative),
            }
        }
        let pattern = if patterns.is_empty() {
            None
        } else {
            Some(Regex::new(&patterns.join("|")).ok()?)
        };
        Some(Self {
            wanted,
            concepts,
            pattern,
        })
    }

    fn holds(&self, text: &str, there: &[bool]) -> bool {
        let found = self.concepts.iter().any(|place| there[*place])
            || self.pattern.as_ref().is_some_and(|p| p.is_match(text));
        found == self.wanted
    }
}

/// The lines of a data file that say something.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// The alternatives of a pattern, those inside parentheses left together.
fn alternatives(pattern: &str) -> Vec<&str> {
    let (mut out, mut depth, mut start) = (Vec::new(), 0_usize, 0);
    for (place, c) in pattern.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            '|' if depth == 0 => {
                out.push(&pattern[start..place]);
                start = place + 1;
            }
            _ => {}
        }
    }
    out.push(&pattern[start..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_lexicon_can_be_read() {
        let cues = Cues::new();
        let wanted = lines(LEXICON).count();
        assert_eq!(cues.concepts.len() + cues.rules.len(), wanted);
    }

    #[test]
    fn a_rule_wants_all_of_its_cues_and_none_of_the_denied_ones() {
        let cues = Cues::read(
            "@甲\t公积金\n@乙\t社保\t社保卡\n租房提取\t2\t@甲 租(房|的) !贷款\n!out\t1\t@乙|天气",
        );
        assert!((cues.of("公积金租房").of("租房提取") - 2.0).abs() < 1e-6);
        assert!(cues.of("公积金租房贷款").of("租房提取").abs() < 1e-6);
        assert!((cues.of("社保").of("!out") - 1.0).abs() < 1e-6);
        assert!(cues.of("社保卡").of("!out").abs() < 1e-6);
    }
}
