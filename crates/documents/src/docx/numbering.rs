//! Automatic numbers as the text they show.

use std::collections::HashMap;

use kernel::Result;
use lang::numeral::to_chinese;

use crate::limits::Limits;
use crate::xml::{Event, walk};

const LEVELS: usize = 9;

#[derive(Clone, Debug)]
struct Level {
    start: u64,
    format: String,
    text: String,
}

impl Default for Level {
    fn default() -> Self {
        Self {
            start: 1,
            format: "decimal".into(),
            text: String::new(),
        }
    }
}

type Levels = [Level; LEVELS];

/// The lists of a document and how far each has counted.
#[derive(Debug, Default)]
pub(super) struct Numbering {
    lists: HashMap<String, Levels>,
    /// List of each `numId`, with the starts it overrides.
    numbers: HashMap<String, (String, Vec<(usize, u64)>)>,
    counts: HashMap<String, [Option<u64>; LEVELS]>,
    started: std::collections::HashSet<String>,
}

/// A `numId`, its list, and the starts it overrides by level.
type Number = (String, String, Vec<(usize, u64)>);

#[derive(Default)]
struct Reading {
    list: Option<(String, Levels)>,
    number: Option<Number>,
    level: usize,
}

impl Numbering {
    pub(super) fn read(name: &str, text: &str, limits: &Limits) -> Result<Self> {
        let mut out = Self::default();
        let mut reading = Reading::default();
        walk(name, text, limits, &mut |event| {
            out.event(&mut reading, event)
        })?;
        Ok(out)
    }

    fn event(&mut self, reading: &mut Reading, event: Event<'_>) {
        match event {
            Event::Open(tag) => {
                let value = tag.attr("val").unwrap_or("");
                match tag.name {
                    "abstractNum" => {
                        reading.list = tag
                            .attr("abstractNumId")
                            .map(|id| (id.to_owned(), Levels::default()))
                    }
                    "num" => {
                        reading.number = tag
                            .attr("numId")
                            .map(|id| (id.to_owned(), String::new(), Vec::new()))
                    }
                    "lvl" | "lvlOverride" => {
                        reading.level = tag
                            .attr("ilvl")
                            .and_then(|n| n.parse().ok())
                            .unwrap_or(0)
                            .min(LEVELS - 1)
                    }
                    "abstractNumId" => {
                        if let Some((_, list, _)) = &mut reading.number {
                            value.clone_into(list);
                        }
                    }
                    "startOverride" => {
                        if let (Some((_, _, starts)), Ok(start)) =
                            (&mut reading.number, value.parse())
                        {
                            starts.push((reading.level, start));
                        }
                    }
                    "start" | "numFmt" | "lvlText" => {
                        let Some((_, levels)) = &mut reading.list else {
                            return;
                        };
                        let level = &mut levels[reading.level];
                        match tag.name {
                            "start" => level.start = value.parse().unwrap_or(1),
                            "numFmt" => value.clone_into(&mut level.format),
                            _ => value.clone_into(&mut level.text),
                        }
                    }
                    _ => {}
                }
            }
            Event::Close("abstractNum") => self.lists.extend(reading.list.take()),
            Event::Close("num") => {
                if let Some((id, list, starts)) = reading.number.take() {
                    self.numbers.insert(id, (list, starts));
                }
            }
            _ => {}
        }
    }

    /// Counts one paragraph and returns the text in front of it.
    pub(super) fn next(&mut self, number: &str, level: usize) -> Option<String> {
        let level = level.min(LEVELS - 1);
        let (list, starts) = self.numbers.get(number)?;
        let levels = self.lists.get(list)?;
        let counts = self.counts.entry(list.clone()).or_default();
        if self.started.insert(number.to_owned()) {
            for &(level, start) in starts {
                counts[level] = Some(start.saturating_sub(1));
            }
        }
        for (index, count) in counts.iter_mut().enumerate().take(level) {
            count.get_or_insert(levels[index].start);
        }
        let next = counts[level].map_or(levels[level].start, |n| n.saturating_add(1));
        counts[level] = Some(next);
        for lower in &mut counts[level + 1..] {
            *lower = None;
        }
        let mut text = levels[level].text.clone();
        if levels[level].format == "bullet" {
            return None;
        }
        for (index, count) in counts.iter().enumerate() {
            let place = format!("%{}", index + 1);
            if text.contains(&place) {
                text = text.replace(
                    &place,
                    &show(&levels[index].format, count.unwrap_or(levels[index].start)),
                );
            }
        }
        if text.is_empty() {
            return None;
        }
        if !text.ends_with(['、', '）', ')', '．', '：', '.', '，']) {
            text.push(' ');
        }
        Some(text)
    }
}

fn show(format: &str, n: u64) -> String {
    match format {
        "chineseCounting"
        | "chineseCountingThousand"
        | "japaneseCounting"
        | "taiwaneseCountingThousand"
        | "taiwaneseCounting"
        | "ideographDigital"
        | "chineseLegalSimplified"
        | "koreanCounting" => to_chinese(n),
        "ideographTraditional" => pick("甲乙丙丁戊己庚辛壬癸", n),
        "ideographZodiac" => pick("子丑寅卯辰巳午未申酉戌亥", n),
        "decimalEnclosedCircle" | "decimalEnclosedCircleChinese" => pick("①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳", n),
        "decimalFullWidth" => n
            .to_string()
            .chars()
            .filter_map(|c| char::from_u32(c as u32 - 0x30 + 0xFF10))
            .collect(),
        "decimalZero" => format!("{n:02}"),
        "upperLetter" => letters(n, b'A'),
        "lowerLetter" => letters(n, b'a'),
        "upperRoman" => roman(n),
        "lowerRoman" => roman(n).to_lowercase(),
        "none" => String::new(),
        _ => n.to_string(),
    }
}

fn pick(signs: &str, n: u64) -> String {
    let sign = n
        .checked_sub(1)
        .and_then(|at| signs.chars().nth(usize::try_from(at).ok()?));
    sign.map_or_else(|| n.to_string(), String::from)
}

fn letters(n: u64, first: u8) -> String {
    let Some(at) = n.checked_sub(1).filter(|at| *at < 26 * 20) else {
        return n.to_string();
    };
    let letter = char::from(first + (at % 26) as u8);
    std::iter::repeat_n(letter, (at / 26) as usize + 1).collect()
}

fn roman(mut n: u64) -> String {
    if n == 0 || n > 3999 {
        return n.to_string();
    }
    let mut out = String::new();
    for (value, sign) in [
        (1000, "M"),
        (900, "CM"),
        (500, "D"),
        (400, "CD"),
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ] {
        while n >= value {
            out.push_str(sign);
            n -= value;
        }
    }
    out
}
