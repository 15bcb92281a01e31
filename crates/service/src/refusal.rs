//! When nothing supports an answer, and where to ask then.

use kernel::Result;
use knowledge::retrieval::{CHARACTER_WEIGHT, Question};
use lang::token::{Run, is_character, runs};
use platform::answer::Channel;

/// The least share of the question's content that a document must hold to be answered from. Chosen on the demonstration
/// city's questions with and without a basis (`evals/demo`), see `docs/benchmarks.md`.
pub const LEAST_SUPPORT: f32 = 0.4;

/// Characters that tie words together and say nothing themselves.
const TIES: &str = "的了给我你他她它吗呢吧啊阿呀哦把被在是有和与就也都还能要会可想去到得着过那这个每一下不没能从对为";

/// The content of a question: what a document must speak of to support an answer.
#[derive(Clone, Debug)]
pub struct Content {
    /// Stretches of content without ties, each character with its rarity.
    runs: Vec<Vec<(char, f32)>>,
    /// Everyday words with the official terms that stand for them.
    terms_for: Vec<(String, Vec<String>)>,
    total: f32,
    terms: Vec<(String, f32)>,
}

impl Content {
    /// Takes the content out of an understood question; `rarity` weighs its parts.
    ///
    /// # Errors
    /// What `rarity` returns.
    pub fn new(
        question: &Question,
        rarity: impl Fn(&[String]) -> Result<Vec<f32>>,
    ) -> Result<Self> {
        let bare: String = question
            .content
            .chars()
            .map(|c| if TIES.contains(c) { ' ' } else { c })
            .collect();
        let mut content = Vec::new();
        let mut total = 0.0;
        for run in runs(&bare) {
            let (Run::Han(text) | Run::Word(text)) = run;
            let characters: Vec<String> = text.chars().map(String::from).collect();
            let weights = rarity(&characters)?;
            total += weights.iter().sum::<f32>();
            content.push(text.chars().zip(weights).collect());
        }
        let tokens: Vec<String> = question.terms.iter().map(|(t, _)| t.clone()).collect();
        // What retrieval weighs single characters by is taken back: documents weigh them in their own way.
        let terms = question
            .terms
            .iter()
            .zip(rarity(&tokens)?)
            .map(|((t, w), r)| {
                let weight = if is_character(t) {
                    w / CHARACTER_WEIGHT
                } else {
                    *w
                };
                (t.clone(), weight * r)
            });
        let terms = terms.collect();
        let terms_for = question
            .expanded
            .iter()
            .map(|e| (e.term.clone(), e.to.clone()))
            .collect();
        Ok(Self {
            runs: content,
            terms_for,
            total,
            terms,
        })
    }

    /// The question's terms with their weights, for ranking documents.
    pub fn terms(&self) -> &[(String, f32)] {
        &self.terms
    }

    /// The share of the content's weight that a normalised text holds, 0 to 1. A character counts as held when the text
    /// has it together with a neighbour, as the question does, or has an official term for its word.
    pub fn held_by(&self, text: &str) -> f32 {
        if self.total <= 0.0 {
            return 0.0;
        }
        let stands_for =
            |term: &(String, Vec<String>)| term.1.iter().any(|o| text.contains(o.as_str()));
        let held_terms: Vec<&str> = self
            .terms_for
            .iter()
            .filter(|t| stands_for(t))
            .map(|t| t.0.as_str())
            .collect();
        let sum: f32 = self
            .runs
            .iter()
            .map(|run| held(run, text, &held_terms))
            .sum();
        sum / self.total
    }
}

fn held(run: &[(char, f32)], text: &str, terms: &[&str]) -> f32 {
    let mut mask = vec![false; run.len()];
    let whole: String = run.iter().map(|(c, _)| *c).collect();
    if run.len() == 1 || run.iter().all(|(c, _)| c.is_ascii()) {
        mask.fill(text.contains(&whole));
    }
    for (place, pair) in run.windows(2).enumerate() {
        let pair: String = pair.iter().map(|(c, _)| *c).collect();
        if text.contains(&pair) {
            mask[place..place + 2].fill(true);
        }
    }
    for term in terms {
        for (byte, _) in whole.match_indices(term) {
            let from = whole[..byte].chars().count();
            mask[from..from + term.chars().count()].fill(true);
        }
    }
    run.iter()
        .zip(mask)
        .filter(|(_, held)| *held)
        .map(|((_, weight), _)| weight)
        .sum()
}

/// Where a person can ask, by what the question is about.
struct Desk {
    words: &'static [&'static str],
    name: &'static str,
    contact: &'static str,
    note: &'static str,
}

/// National service numbers.
const DESKS: [Desk; 8] = [
    Desk {
        words: &["公积金"],
        name: "住房公积金热线",
        contact: "12329",
        note: "缴存、提取、贷款、转移",
    },
    Desk {
        words: &["医保", "医疗", "看病", "住院", "报销", "药", "生育"],
        name: "医保服务热线",
        contact: "12393",
        note: "参保、待遇、异地就医、生育保险",
    },
    Desk {
        words: &[
            "社保", "养老", "失业", "工伤", "就业", "工资", "劳动", "退休",
        ],
        name: "人力资源和社会保障热线",
        contact: "12333",
        note: "社会保险、就业、劳动关系",
    },
    Desk {
        words: &["税", "发票"],
        name: "纳税缴费服务热线",
        contact: "12366",
        note: "税费政策和办理",
    },
    Desk {
        words: &["驾照", "驾驶证", "车辆", "违章", "上牌"],
        name: "交通管理服务热线",
        contact: "12123",
        note: "驾驶证、机动车业务",
    },
    Desk {
        words: &["护照", "签证", "出入境", "通行证", "移民"],
        name: "移民管理服务热线",
        contact: "12367",
        note: "出入境证件、居留",
    },
    Desk {
        words: &["消费", "公司", "执照", "假货", "投诉商家"],
        name: "市场监管投诉举报热线",
        contact: "12315",
        note: "登记注册、消费维权",
    },
    Desk {
        words: &["合同", "官司", "律师", "起诉", "法律"],
        name: "公共法律服务热线",
        contact: "12348",
        note: "法律咨询、法律援助",
    },
];

/// The nearest desks for a question; the government's general hotline comes last and always.
pub fn channels(question: &str) -> Vec<Channel> {
    let near = DESKS
        .iter()
        .filter(|d| d.words.iter().any(|w| question.contains(w)));
    let mut out: Vec<Channel> = near
        .map(|d| channel(d.name, d.contact, d.note))
        .take(2)
        .collect();
    out.push(channel(
        "政务服务便民热线",
        "12345",
        "各类政务咨询、求助、投诉，可转相关部门答复",
    ));
    out
}

fn channel(name: &str, contact: &str, note: &str) -> Channel {
    Channel {
        name: name.to_owned(),
        contact: contact.to_owned(),
        note: note.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_desk_comes_first_and_the_general_one_last() {
        let names = |q: &str| {
            channels(q)
                .into_iter()
                .map(|c| c.contact)
                .collect::<Vec<_>>()
        };
        assert_eq!(names("护照丢了怎么补"), ["12367", "12345"]);
        assert_eq!(names("火星上有什么"), ["12345"]);
    }
}
