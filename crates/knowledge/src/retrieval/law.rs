//! The structure of the law as a prior: codes speak to everybody, a special statute only to its topic.

use std::{
    collections::{BTreeSet, HashMap},
    sync::LazyLock,
};

use lang::token::{Run, normalise, runs};
use regex::Regex;

/// Codes: general norms without a topic of their own.
const CODES: [&str; 2] = ["民法典", "刑法"];

/// How much a code's articles gain.
const CODE_BONUS: f32 = 0.2;

/// How much an article loses when the question touches nothing of its statute's topic.
const OFF_TOPIC: f32 = 0.2;

/// How much more it loses below the rank of a statute (条例, 规定, 办法).
const OFF_TOPIC_BYLAW: f32 = 0.2;

static ARTICLE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("第[零一二三四五六七八九十百千]+条(?:之[一二三四五六七八九十]+)?")
        .expect("a fixed pattern")
});

/// Words of titles that say nothing of the topic.
static GENERIC: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"最高人民法院|最高人民检察院|公安部|司法部|国务院|全国人民代表大会常务委员会|全国人大常委会|关于|适用|应用|法律|审理|办理|案件|纠纷|若干|具体|问题|的|《|》|实施|管理|暂行|试行|规定|条例|办法|细则|规则|解释|决定|批复|意见|中国|人民共和国|\(.*?\)|法$|、|和|等",
    )
    .expect("a fixed pattern")
});

/// A statute's everyday name: without 中华人民共和国 and without the number of an article. The title is normalised.
pub(super) fn name_of(title: &str) -> String {
    ARTICLE.replace(title, "").replace("中华人民共和国", "")
}

/// What the title of a statute says about where its articles apply.
#[derive(Clone, Debug, PartialEq)]
pub struct Scope {
    name: String,
    /// Where the title names one article: its number.
    article: Option<u32>,
    code: bool,
    bylaw: bool,
    topic: BTreeSet<char>,
}

impl Scope {
    /// Reads a statute's title.
    pub fn of(title: &str) -> Self {
        let title = normalise(title);
        let article = ARTICLE.find(&title).and_then(|found| {
            let number = found.as_str().trim_start_matches('第').split('条').next()?;
            u32::try_from(lang::numeral::integer(number)?).ok()
        });
        let name = name_of(&title);
        let code = CODES.contains(&name.as_str());
        let statute = name.ends_with('法') && !name.ends_with("办法");
        let interpretation = name.contains("最高人民法院") || name.contains("最高人民检察院");
        let topic = if code {
            BTreeSet::new()
        } else {
            ideographs(&GENERIC.replace_all(&name, " "))
        };
        Self {
            name,
            article,
            code,
            bylaw: !code && !statute && !interpretation,
            topic,
        }
    }

    /// By what a passage's score is multiplied, for a question with these characters.
    pub fn factor(&self, asked: &BTreeSet<char>) -> f32 {
        if self.code {
            return 1.0 + CODE_BONUS;
        }
        if self.topic.is_empty() {
            return 1.0;
        }
        let touched = self.topic.intersection(asked).count() as f32 / self.topic.len() as f32;
        let loss = OFF_TOPIC + if self.bylaw { OFF_TOPIC_BYLAW } else { 0.0 };
        1.0 - loss * (1.0 - touched)
    }
}

/// Where a passage stands: what it is part of, and its place there. Articles of one statute stand together, whether they
/// are clauses of one document or documents of their own; so do the versions of a statute.
pub(super) fn place<'a>(
    scopes: &'a HashMap<String, Scope>,
    document: &'a str,
    clause: u32,
) -> (&'a str, u32) {
    match scopes.get(document) {
        Some(scope) => (&scope.name, scope.article.unwrap_or(clause)),
        None => (document, clause),
    }
}

fn ideographs(text: &str) -> BTreeSet<char> {
    runs(text)
        .into_iter()
        .flat_map(|run| match run {
            Run::Han(run) | Run::Word(run) => run.chars(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn factor(title: &str, question: &str) -> f32 {
        Scope::of(title).factor(&question.chars().collect())
    }

    #[test]
    fn articles_of_a_statute_stand_together() {
        let named = |title: &str| HashMap::from([("甲".to_owned(), Scope::of(title))]);
        let article = named("中华人民共和国民法典第五百七十七条");
        assert_eq!(place(&article, "甲", 0), ("民法典", 577));
        assert_eq!(
            place(&named("中华人民共和国民法典"), "甲", 9),
            ("民法典", 9)
        );
        assert_eq!(place(&article, "乙", 3), ("乙", 3));
    }

    #[test]
    fn a_code_gains_and_a_bylaw_off_topic_loses_most() {
        let question = "买到假货可以要求赔偿吗";
        assert_eq!(factor("中华人民共和国民法典第五百七十七条", question), 1.2);
        assert!((factor("中华人民共和国铁路法", question) - 0.8).abs() < 1e-6);
        assert!((factor("铁路安全管理条例", question) - 0.6).abs() < 1e-6);
        assert_eq!(factor("铁路安全管理条例", "铁路安全"), 1.0);
    }
}
