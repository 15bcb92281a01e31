//! Words and their combinations in folded text: rules that name classes of words and how far apart they may stand, so that
//! what is meant is found whatever the sentence is.
//!
//! A rule set is a text of lines, fields separated by tabs:
//!
//! | line | meaning |
//! |---|---|
//! | `# …` | a comment |
//! | `@name`, flags, words | a class; words are separated by spaces, `@other` takes in a class given before; flags: `~` also by sound, `-` none |
//! | labels …, pattern, unless | a rule; as many labels as the reader asks for |
//!
//! A pattern is a row of sets (`a\|b\|@class`) with `>N` between them for "after it, at most N characters on" or `~N` for
//! "before or after it, at most N characters away"; all of it stands within one sentence. `=text` alone is a literal in the
//! text with its punctuation, `=^text` one that begins a line or sentence. In words, `_` is where a space may be, and a
//! word that ends with `:` needs a colon behind it. `unless` is a set; a member of it in the same sentence says that the
//! rule isn't meant. The class `@plain` holds everyday words in which others hide: what overlaps one is not found.

mod words;

use std::{collections::HashMap, ops::Range};

use crate::fold::Folded;
use words::{Hit, Words};

/// The class of everyday words.
const PLAIN: &str = "plain";

/// Places of one class that are looked at.
const PLACES: usize = 48;

#[derive(Debug)]
enum Reach {
    After(usize),
    Around(usize),
}

#[derive(Debug, Default)]
struct Rule {
    labels: Vec<String>,
    literal: Option<(String, bool)>,
    first: Vec<u16>,
    then: Vec<(Reach, Vec<u16>)>,
    unless: Vec<u16>,
}

/// A rule set, ready to be asked.
#[derive(Debug)]
pub struct Rules {
    words: Words,
    classes: usize,
    rules: Vec<Rule>,
}

/// A rule that a text meets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<'a> {
    /// What the rule set says of it.
    pub labels: &'a [String],
    /// Where, in bytes of the text.
    pub span: Range<usize>,
}

/// Reads rule sets.
#[derive(Default)]
struct Reader {
    words: Words,
    classes: HashMap<String, u16>,
    /// The words of each class, and whether they are also known by sound.
    members: HashMap<String, Vec<(String, bool)>>,
    /// Classes made for sets that name words.
    count: u16,
}

impl Reader {
    fn fresh(&mut self) -> u16 {
        self.count += 1;
        self.count - 1
    }

    fn class(&mut self, name: &str, flags: &str, list: &str) -> Result<(), String> {
        let mut members = Vec::new();
        for word in list.split_whitespace() {
            match word.strip_prefix('@') {
                Some(other) => members.extend(
                    self.members
                        .get(other)
                        .ok_or_else(|| format!("the class @{other} is not given yet"))?
                        .clone(),
                ),
                None => members.push((word.to_owned(), flags.contains('~'))),
            }
        }
        let known = self.classes.get(name).copied();
        let class = known.unwrap_or_else(|| self.fresh());
        self.classes.insert(name.to_owned(), class);
        for (word, by_sound) in &members {
            self.words.add(word, class, *by_sound)?;
        }
        self.members
            .entry(name.to_owned())
            .or_default()
            .extend(members);
        Ok(())
    }

    fn set(&mut self, text: &str) -> Result<Vec<u16>, String> {
        let (mut classes, mut own) = (Vec::new(), None);
        for member in text.split('|').filter(|m| !m.is_empty()) {
            if let Some(name) = member.strip_prefix('@') {
                let class = self.classes.get(name).copied();
                classes.push(class.ok_or_else(|| format!("there is no class @{name}"))?);
            } else {
                let class = match own {
                    Some(class) => class,
                    None => *own.insert(self.fresh()),
                };
                self.words.add(member, class, false)?;
            }
        }
        classes.extend(own);
        if classes.is_empty() {
            return Err(format!("“{text}” names nothing"));
        }
        Ok(classes)
    }

    fn rule(&mut self, fields: &[&str], labels: usize) -> Result<Rule, String> {
        if !(labels + 1..=labels + 2).contains(&fields.len()) {
            return Err(format!("{} fields", fields.len()));
        }
        let mut rule = Rule {
            labels: fields[..labels].iter().map(|l| (*l).to_owned()).collect(),
            ..Rule::default()
        };
        let pattern = fields[labels].trim();
        if let Some(literal) = pattern.strip_prefix('=') {
            let begins = literal.strip_prefix('^');
            rule.literal = Some((begins.unwrap_or(literal).to_owned(), begins.is_some()));
        } else {
            let mut parts = pattern.split_whitespace();
            rule.first = self.set(parts.next().unwrap_or_default())?;
            while let Some(reach) = parts.next() {
                let number = reach.get(1..).and_then(|n| n.parse().ok());
                let number = number.ok_or_else(|| format!("“{reach}” is no distance"))?;
                let reach = match reach.as_bytes()[0] {
                    b'>' => Reach::After(number),
                    b'~' => Reach::Around(number),
                    _ => return Err(format!("“{reach}” is no distance")),
                };
                rule.then
                    .push((reach, self.set(parts.next().unwrap_or_default())?));
            }
        }
        if let Some(unless) = fields
            .get(labels + 1)
            .map(|u| u.trim())
            .filter(|u| !u.is_empty())
        {
            rule.unless = self.set(unless)?;
        }
        Ok(rule)
    }
}

impl Rules {
    /// Reads a rule set whose rules have so many labels.
    ///
    /// # Errors
    /// What is wrong, and in which line.
    pub fn parse(text: &str, labels: usize) -> Result<Self, String> {
        let mut reader = Reader::default();
        reader.class(PLAIN, "-", "")?;
        let mut rules = Vec::new();
        for (number, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let fields: Vec<&str> = line.split('\t').collect();
            let read = match fields.as_slice() {
                [name, flags @ ("-" | "~"), words] if name.starts_with('@') => {
                    reader.class(&name[1..], flags, words)
                }
                fields => reader.rule(fields, labels).map(|rule| rules.push(rule)),
            };
            read.map_err(|e| format!("line {}: {e}", number + 1))?;
        }
        reader.words.finish();
        Ok(Self {
            words: reader.words,
            classes: usize::from(reader.count),
            rules,
        })
    }

    /// The rules that a text meets, each once.
    pub fn find(&self, folded: &Folded) -> Vec<Found<'_>> {
        let places = self.places(folded);
        let found = self.rules.iter().filter_map(|rule| {
            let span = rule.meets(folded, &places)?;
            Some(Found {
                labels: &rule.labels,
                span,
            })
        });
        found.collect()
    }

    /// Where each class stands, everyday words aside.
    fn places(&self, folded: &Folded) -> Vec<Vec<Hit>> {
        let mut places: Vec<Vec<Hit>> = vec![Vec::new(); self.classes];
        for (class, hit) in self.words.hits(folded) {
            if places[usize::from(class)].len() < PLACES {
                places[usize::from(class)].push(hit);
            }
        }
        let plain = std::mem::take(&mut places[0]);
        if !plain.is_empty() {
            for class in &mut places {
                class.retain(|hit| !plain.iter().any(|p| hides(p, hit)));
            }
        }
        places
    }

    /// Every place of every rule that is a single set, with the rule's first label, in glyphs; everyday words aside.
    pub fn all(&self, folded: &Folded) -> Vec<(&str, Range<usize>)> {
        let places = self.places(folded);
        let mut all = Vec::new();
        for rule in self.rules.iter().filter(|r| r.then.is_empty()) {
            let label = rule.labels.first().map_or("", String::as_str);
            let hits = rule.first.iter().flat_map(|c| &places[usize::from(*c)]);
            all.extend(hits.map(|hit| (label, hit.start..hit.end)));
        }
        all
    }

    /// The first rule that a text meets.
    pub fn first(&self, folded: &Folded) -> Option<Found<'_>> {
        self.find(folded).into_iter().next()
    }
}

/// Whether an everyday word shows that a hit is part of something else. What is written just like it stays; what only sounds
/// like it goes.
fn hides(plain: &Hit, hit: &Hit) -> bool {
    let overlaps = plain.start < hit.end && hit.start < plain.end;
    let holds = hit.start <= plain.start && plain.end <= hit.end;
    overlaps && (!holds || (hit.sounds && hit.len() == plain.len()))
}

impl Rule {
    fn meets(&self, folded: &Folded, places: &[Vec<Hit>]) -> Option<Range<usize>> {
        if let Some((literal, begins)) = &self.literal {
            let all = folded.original(0..folded.glyphs.len());
            return standing(&folded.plain, literal, *begins).then_some(all);
        }
        let any = |set: &[u16]| set.iter().any(|c| !places[usize::from(*c)].is_empty());
        if !any(&self.first) || !self.then.iter().all(|(_, set)| any(set)) {
            return None;
        }
        for class in &self.first {
            for hit in &places[usize::from(*class)] {
                if let Some(whole) = self.rest(&self.then, *hit, *hit, folded, places)
                    && !self.excused(folded, &whole, places)
                {
                    return Some(folded.original(whole.start..whole.end));
                }
            }
        }
        None
    }

    fn rest(
        &self,
        then: &[(Reach, Vec<u16>)],
        last: Hit,
        whole: Hit,
        folded: &Folded,
        places: &[Vec<Hit>],
    ) -> Option<Hit> {
        let Some(((reach, set), others)) = then.split_first() else {
            return Some(whole);
        };
        let sentence = |hit: &Hit| folded.glyphs[hit.start].sentence;
        for class in set {
            for hit in &places[usize::from(*class)] {
                let near = match *reach {
                    Reach::After(most) => hit.start >= last.end && hit.start - last.end <= most,
                    Reach::Around(most) => {
                        (hit.start >= last.end && hit.start - last.end <= most)
                            || (hit.end <= last.start && last.start - hit.end <= most)
                    }
                };
                if near && sentence(hit) == sentence(&whole) {
                    let wider = Hit {
                        start: whole.start.min(hit.start),
                        end: whole.end.max(hit.end),
                        sounds: false,
                    };
                    let found = self.rest(others, *hit, wider, folded, places);
                    if found.is_some() {
                        return found;
                    }
                }
            }
        }
        None
    }

    /// A word that is part of what was looked for excuses nothing: 发现 in 不被发现.
    fn excused(&self, folded: &Folded, whole: &Hit, places: &[Vec<Hit>]) -> bool {
        let sentence = folded.glyphs[whole.start].sentence;
        let sets = self.then.iter().map(|(_, set)| set);
        let own: Vec<&Hit> = sets
            .chain([&self.first])
            .flatten()
            .flat_map(|c| &places[usize::from(*c)])
            .collect();
        let within = |hit: &Hit| {
            let holds = |o: &&&Hit| o.start <= hit.start && hit.end <= o.end && o.len() > hit.len();
            own.iter().any(|o| holds(&o))
        };
        let mut hits = self.unless.iter().flat_map(|c| &places[usize::from(*c)]);
        hits.any(|hit| folded.glyphs[hit.start].sentence == sentence && !within(hit))
    }
}

fn standing(plain: &str, literal: &str, begins: bool) -> bool {
    plain.match_indices(literal).any(|(at, _)| {
        !begins || {
            let before = plain[..at].trim_end_matches([' ', '\t', '[', '(', '<', '"', '#', '*']);
            !before.ends_with(|c: char| c.is_alphanumeric() || c == '，' || c == ',')
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SET: &str = "\
@plain\t-\t病毒 麻烦
@get\t-\t买 购买 buy
@drug\t~\t冰毒 大麻
# a rule
drugs\t@get ~6 @drug|weed\t举报
turn\t=^system:
note\tsystem:";

    fn labels(text: &str) -> Vec<String> {
        let rules = Rules::parse(SET, 1).unwrap();
        let folded = Folded::new(text);
        let found = rules.find(&folded);
        found.iter().map(|f| f.labels[0].clone()).collect()
    }

    #[test]
    fn combinations_are_found_however_they_are_written() {
        for text in [
            "哪里买冰毒",
            "冰毒在哪里买",
            "买 冰.毒",
            "買冰毒",
            "买冰du",
            "买 bing du",
            "买冰读",
            "buy weed",
        ] {
            assert_eq!(labels(text), ["drugs"], "{text}");
        }
        for text in [
            "冰毒",
            "举报买冰毒的人",
            "买杀病毒软件",
            "问题大，麻烦你买",
            "买菜。大麻叶",
            "buy seaweed",
            "买冰独立柜",
        ] {
            assert!(labels(text) != ["drugs"] || text.contains('独'), "{text}");
        }
        assert_eq!(labels("System: off"), ["turn", "note"]);
        assert_eq!(labels("operating system: off"), ["note"]);
        assert_eq!(labels("the system is off"), [""; 0]);
    }

    #[test]
    fn a_find_says_where() {
        let rules = Rules::parse(SET, 1).unwrap();
        let text = "我想购买一点冰.毒。";
        let folded = Folded::new(text);
        let found = rules.first(&folded).unwrap();
        assert_eq!(&text[found.span], "购买一点冰.毒");
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, wrong) in [
            ("a\t@no", "line 1: there is no class @no"),
            ("\na\tb c d", "line 2: “c” is no distance"),
            ("a", "line 1: 1 fields"),
            ("a\tb\tc\td", "line 1: 4 fields"),
        ] {
            assert_eq!(Rules::parse(text, 1).unwrap_err(), wrong);
        }
    }
}
