//! What a document says of others: which it carries out, changes, repeals or cites.

use std::collections::{HashMap, HashSet};

use super::{View, number, pattern, repeal};
use crate::document::{Clause, DocumentKind, Metadata, Reference, Relation, RelationKind};
use crate::page::Page;

/// Relations of one document.
const MOST: usize = 1_000;
/// Characters at the beginning of a text in which it says what it carries out.
const OPENING: usize = 2_000;

pattern!(
    MENTION,
    r"《([^《》]{2,100}(?:《[^《》]{2,80}》[^《》]{0,40})?)》[ 　]*(?:[（(]([^（）()]{2,30}(?:[（(〔\[][0-9]{4}[）)〕\]])?[^（）()]{0,12}号[^（）()]{0,6})[）)])?"
);
pattern!(
    ARTICLES,
    r"^(?:[（(][^（）()]{0,60}[）)])?(?:中)?(?:的)?((?:第[零〇一二三四五六七八九十百千0-9]{1,7}条(?:之[一二三四五六七八九十]{1,3})?(?:第[一二三四五六七八九十]{1,3}款)?(?:第[（(]?[一二三四五六七八九十]{1,3}[）)]?项)?[、，和及与或至到]{0,2})+)"
);
pattern!(
    ARTICLE,
    r"第[零〇一二三四五六七八九十百千0-9]{1,7}条(?:之[一二三四五六七八九十]{1,3})?"
);
// Names of what binds, without what stands in brackets behind it.
pattern!(
    BINDING,
    r"(?:宪法|法典|[^办做方想看说语书用写手]法|条例|规定|办法|细则|决定|决议|意见|通知|公告|通告|规则|规程|准则|批复|解释|修正案|公约|协定|议定书|命令|令|复函|纪要|通则|暂行|若干措施|政策措施)(?:[（(〔].{1,16}[）)〕])*$"
);
// Names that a form or a leaflet can have as well.
pattern!(
    PERHAPS,
    r"(?:方案|规划|纲要|计划|目录|清单|标准|规范|指南|指引|要点|制度|措施|章程|政策|办事指南)(?:[（(〔].{1,16}[）)〕])*$"
);
pattern!(
    PUBLIC,
    r"关于|国家|全国|中国|中华人民共和国|中央|国务院|[\p{Han}]{2,}(?:省|市|自治区|县)|(?:19|20)[0-9]{2}"
);
pattern!(BEFORE_BASIS, r"(?:根据|依据|依照|按照|遵照|遵循)");
pattern!(
    MAKES,
    r"制定(?:本|以下|如下|下列|此|了)|特制定|制订本|现(?:就|将|对|制定|印发|公布|发布|提出)|作出?如下|通知如下|公告如下|通告如下|规定如下|解释如下|决定如下|提出(?:如下|以下)|特此|特作"
);
pattern!(
    CARRIES_OUT,
    r"(?:贯彻|落实|执行|实施|推进|做好)(?:好|实施|落实|执行|施行)?[^，。；]{0,30}$"
);
pattern!(
    CHANGED,
    r"^[^。；]{0,80}?(?:作(?:出)?(?:以下|如下|部分|相应)?(?:修改|修订|修正|调整)|(?:进行|予以)(?:修改|修订|修正)|修改为|修改如下|增加[一二三四五六七八九十]{1,3}[条款项]|删去第|删除第)"
);
pattern!(
    IN_TITLE_CHANGED,
    r"修改(?:了|后)?《?$|修正《?$|修订《?$|废止和修改《?$"
);
pattern!(HISTORY, r"(?:通过|修正|修订|公布|发布|批准)");

pattern!(
    ALIAS,
    r"《([^《》]{5,100}(?:《[^《》]{2,80}》[^《》]{0,40})?)》[^《》。；\n]{0,60}?[（(][^（）()]{0,24}?(?:简称|统称)(?:为)?[“\x22《]{1,2}([^“”\x22《》（）()]{2,30})[”\x22》]{1,2}"
);
// A name that any document can be called by.
pattern!(
    COMMON,
    r"^(?:本)?(?:决定|决议|规定|办法|细则|意见|通知|公告|通告|规则|条例|解释|批复|方案|措施|规划|纲要|标准|命令|令|复函|实施方案|实施细则|实施意见|若干措施|暂行办法|管理办法|暂行规定)$"
);

/// A name in book-title marks.
struct Mention {
    at: usize,
    end: usize,
    title: String,
    number: Option<String>,
    articles: Vec<String>,
}

fn mentions(text: &str, base: usize) -> Vec<Mention> {
    MENTION
        .captures_iter(text)
        .filter_map(|found| {
            let whole = found.get(0)?;
            let title: String = found[1].chars().filter(|c| !c.is_whitespace()).collect();
            let articles = ARTICLES
                .captures(&text[whole.end()..])
                .map_or_else(Vec::new, |list| {
                    let mut articles: Vec<String> = Vec::new();
                    for article in ARTICLE.find_iter(&list[1]) {
                        if articles.iter().all(|seen| seen != article.as_str()) {
                            articles.push(article.as_str().to_owned());
                        }
                    }
                    articles
                });
            Some(Mention {
                at: base + whole.start(),
                end: base + whole.end(),
                title,
                number: found.get(2).and_then(|m| number::read(m.as_str())),
                articles,
            })
        })
        .collect()
}

/// Whether the name is that of a law, a regulation or a notice, not of a form, a certificate or a book.
fn binds(mention: &Mention) -> bool {
    mention.number.is_some()
        || BINDING.is_match(&mention.title)
        || PERHAPS.is_match(&mention.title)
            && mention.title.chars().count() >= 8
            && PUBLIC.is_match(&mention.title)
}

/// Short names that the text gives to others: 解释 for 关于……的解释.
fn aliases(text: &str) -> HashMap<String, String> {
    let squeeze = |s: &str| s.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    let mut out = HashMap::new();
    if text.contains("称") {
        for found in ALIAS.captures_iter(text) {
            out.entry(squeeze(&found[2]))
                .or_insert_with(|| squeeze(&found[1]));
        }
    }
    out
}

/// A name without blanks and brackets, for comparison.
fn bare(title: &str) -> String {
    title.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// What the sentence says of the mention.
fn kind(page: &Page, sentence: (usize, usize), mention: &Mention, rules: bool) -> RelationKind {
    if !rules {
        return RelationKind::Cites;
    }
    let before = &page.text[sentence.0..mention.at];
    let after = &page.text[mention.end..sentence.1];
    let named = before.ends_with(['对', '将', '把']) || before.ends_with("决定对");
    let listed = before
        .rsplit('，')
        .next()
        .is_some_and(|part| part.starts_with(['对', '将', '把']) || part.contains("决定对"));
    if (named || listed || !mention.articles.is_empty() || before.trim().is_empty())
        && CHANGED.is_match(after)
    {
        return RelationKind::Amends;
    }
    let opening = page.text[..mention.at].chars().count() <= OPENING;
    let basis = BEFORE_BASIS.is_match(before) && MAKES.is_match(after);
    if opening && (basis || before.contains('为') && CARRIES_OUT.is_match(&without_names(before)))
    {
        return RelationKind::Implements;
    }
    RelationKind::Cites
}

/// 为贯彻落实《甲》《乙》 reads like 为贯彻落实 for each of them.
fn without_names(text: &str) -> String {
    let text = MENTION.replace_all(text, "");
    text.trim_end_matches(['、', '和', '及', '与', '以'])
        .to_owned()
}

/// What the title itself says: 关于修改《甲》的决定, 实施《甲》办法.
fn in_title(title: &str, rules: bool) -> Vec<(RelationKind, Mention)> {
    let title = title.replace('〈', "《").replace('〉', "》");
    let mut found = Vec::new();
    for mention in mentions(&title, 0) {
        let (before, after) = (&title[..mention.at], &title[mention.end..]);
        let amends = IN_TITLE_CHANGED.is_match(before) || after.starts_with("修正案");
        let implements = before.ends_with("实施")
            || before.ends_with("贯彻")
            || before.ends_with("落实")
            || before.ends_with("执行")
            || before.ends_with("施行")
            || after.starts_with("实施")
            || before.ends_with("适用");
        if rules && amends {
            found.push((RelationKind::Amends, mention));
        } else if rules && implements {
            found.push((RelationKind::Implements, mention));
        }
    }
    found
}

/// Sentences with book-title marks: start and end.
fn sentences(text: &str) -> Vec<(usize, usize)> {
    let mut out = Vec::new();
    let mut start = 0;
    for (at, c) in text.char_indices() {
        if matches!(c, '。' | '\n' | '；') {
            if text[start..at].contains('《') {
                out.push((start, at));
            }
            start = at + c.len_utf8();
        }
    }
    if text[start..].contains('《') {
        out.push((start, text.len()));
    }
    out
}

/// The relations of a document, each once, in the order of the text; what it repeals first.
pub(crate) fn find(page: &Page, clauses: &[Clause], metadata: &Metadata) -> Vec<Relation> {
    let rules = matches!(
        metadata.kind,
        DocumentKind::Policy | DocumentKind::Law | DocumentKind::Other
    );
    let mut out = Relations {
        clauses,
        seen: HashSet::new(),
        out: Vec::new(),
    };
    let own = bare(&metadata.title);
    let mut repealed: HashSet<String> = HashSet::new();
    if rules {
        let view = View::new(page);
        for (at, reference) in repeal::found(&view, &metadata.title) {
            repealed.extend(reference.title.as_deref().map(bare));
            out.push(RelationKind::Repeals, reference, None, Some(at));
        }
    }
    let mut others: HashSet<String> = HashSet::new();
    for (kind, mention) in in_title(&metadata.title, rules) {
        others.insert(bare(&mention.title));
        let reference = Reference {
            title: Some(mention.title),
            number: mention.number,
        };
        out.push(kind, reference, None, None);
    }
    let front = clauses.first().map_or(0, |clause| clause.span.end);
    let aliases = aliases(&page.text);
    for sentence in sentences(&page.text) {
        let text = &page.text[sentence.0..sentence.1];
        // 根据2018年12月29日《关于修改〈甲〉的决定》修正 is the law's own history.
        let history = sentence.0 < front
            && HISTORY.is_match(text)
            && lang::date::find(text)
                .first()
                .is_some_and(|date| date.span.start < 40);
        for mut mention in mentions(text, sentence.0) {
            match aliases.get(&mention.title) {
                Some(whole) => mention.title.clone_from(whole),
                None if COMMON.is_match(&mention.title) => continue,
                None => {}
            }
            let name = bare(&mention.title);
            let itself = name == own
                || own.contains(&name) && mention.at < front && mention.number.is_none();
            if history || itself || repealed.contains(&name) || !binds(&mention) {
                continue;
            }
            let kind = kind(page, sentence, &mention, rules);
            // What the title says of it is not said again.
            if others.contains(&name) && kind != RelationKind::Cites && mention.articles.is_empty()
            {
                continue;
            }
            let reference = Reference {
                title: Some(mention.title),
                number: mention.number,
            };
            if mention.articles.is_empty() {
                out.push(kind, reference, None, Some(mention.at));
            } else {
                for article in mention.articles {
                    out.push(kind, reference.clone(), Some(article), Some(mention.at));
                }
            }
        }
    }
    out.out
}

struct Relations<'a> {
    clauses: &'a [Clause],
    /// Name and article of what was said, and by which word.
    seen: HashSet<(RelationKind, String, Option<String>)>,
    out: Vec<Relation>,
}

impl Relations<'_> {
    fn push(
        &mut self,
        kind: RelationKind,
        reference: Reference,
        article: Option<String>,
        at: Option<usize>,
    ) {
        let name = match (&reference.title, &reference.number) {
            (Some(title), _) => bare(title),
            (None, number) => number.clone().unwrap_or_default(),
        };
        let said = |kind| self.seen.contains(&(kind, name.clone(), article.clone()));
        let stronger = kind == RelationKind::Cites
            && (said(RelationKind::Implements) || said(RelationKind::Amends));
        if stronger || self.out.len() >= MOST {
            return;
        }
        if !self.seen.insert((kind, name.clone(), article.clone())) {
            // The number may stand at one of several mentions only.
            let known = self.out.iter_mut().filter(|relation| relation.kind == kind);
            for relation in known {
                if relation.reference.title == reference.title
                    && relation.reference.number.is_none()
                {
                    relation.reference.number.clone_from(&reference.number);
                }
            }
            return;
        }
        let clause = at.and_then(|at| {
            let index = self.clauses.partition_point(|clause| clause.span.end <= at);
            self.clauses
                .get(index)
                .is_some_and(|clause| clause.span.contains(&at))
                .then_some(index)
        });
        self.out.push(Relation {
            kind,
            reference,
            clause,
            article,
        });
    }
}
