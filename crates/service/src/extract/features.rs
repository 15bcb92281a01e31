//! What is known of a span: the numbers that the model judges by.

use super::{
    asked::Asked,
    candidates::Candidate,
    matching::{Matching, Which},
    page::Page,
};

/// What is known of a page's document among the others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    /// Its rank, from 0.
    pub(super) rank: usize,
    /// Its score as a share of the best.
    pub(super) relative: f32,
}

/// The numbers' names, in order.
pub(crate) const NAMES: [&str; 70] = [
    "lead_coverage",
    "previous_coverage",
    "heading_coverage",
    "before40_coverage",
    "before25_left",
    "matched_before8",
    "matched_before3",
    "matched_first12",
    "sentence_score",
    "sentence_relative",
    "previous_score",
    "sentence_local",
    "previous_local",
    "heading_local",
    "before40_local",
    "local_relative",
    "run_before20",
    "run_sentence",
    "run_previous",
    "run_heading",
    "run_first12",
    "after_comma",
    "after_stop",
    "after_colon",
    "after_leading",
    "starts_number",
    "under_heading",
    "level",
    "is_heading",
    "lead_length",
    "position",
    "next_level",
    "next_heading",
    "next_coverage",
    "next_local",
    "matched_after10",
    "matched_last8",
    "after25_right",
    "ends_number",
    "log_length",
    "sentences",
    "start_kind",
    "end_kind",
    "coverage",
    "coverage_left",
    "coverage_right",
    "context_coverage",
    "sentences_coverage",
    "gain",
    "matched_share",
    "local",
    "context_local",
    "sentences_local",
    "log_matched",
    "log_unmatched",
    "numbers",
    "dates",
    "quotes",
    "digits",
    "commas",
    "enumeration_commas",
    "items",
    "headings_inside",
    "to_item_end",
    "to_section_end",
    "expected_share",
    "kinds",
    "question_length",
    "rank",
    "relative",
];

/// The kinds of question, added after [`NAMES`].
pub(crate) const KINDS: usize = 16;

/// How many numbers there are.
pub(crate) const COUNT: usize = NAMES.len() + KINDS;

/// A page with all that its spans' numbers are made of.
pub(super) struct Reading<'a> {
    pub(super) asked: &'a Asked,
    pub(super) page: &'a Page,
    pub(super) matching: &'a Matching,
    pub(super) scores: &'a [f32],
    pub(super) standing: Standing,
    best_score: f32,
    best_local: f32,
    locals: Vec<f32>,
}

impl<'a> Reading<'a> {
    pub(super) fn new(
        asked: &'a Asked,
        page: &'a Page,
        matching: &'a Matching,
        scores: &'a [f32],
        standing: Standing,
    ) -> Self {
        let locals: Vec<f32> = page
            .sentences
            .iter()
            .map(|s| matching.local(s.span.start, s.span.end))
            .collect();
        let top = |values: &[f32]| values.iter().copied().fold(1e-6, f32::max);
        Self {
            best_score: top(scores),
            best_local: top(&locals),
            asked,
            page,
            matching,
            scores,
            standing,
            locals,
        }
    }

    /// The numbers of a span, in the order of [`NAMES`], then the kinds of question.
    pub(super) fn features(&self, c: &Candidate) -> Vec<f32> {
        let mut out = Vec::with_capacity(COUNT);
        self.before(c, &mut out);
        self.after(c, &mut out);
        self.inside(c, &mut out);
        out.extend(self.asked.kinds.iter().map(|k| f32::from(u8::from(*k))));
        out
    }

    fn share(&self, start: usize, end: usize) -> f32 {
        let (start, end) = (start.min(end), end.min(self.page.chars.len()));
        self.matching.matched(start, end) as f32 / (end - start).max(1) as f32
    }

    fn before(&self, c: &Candidate, out: &mut Vec<f32>) {
        let (page, m, s) = (self.page, self.matching, &self.page.sentences[c.first]);
        let previous = c.first.checked_sub(1).map(|j| &page.sentences[j]);
        let heading = s.under.map(|h| &page.sentences[h].span);
        let cover = |a: usize, b: usize| m.coverage(a, b, Which::All);
        let back = |n: usize| c.start.saturating_sub(n);
        let of = |span: Option<&std::ops::Range<usize>>, f: &dyn Fn(usize, usize) -> f32| {
            span.map_or(0.0, |r| f(r.start, r.end))
        };
        let local = |a: usize, b: usize| m.local(a, b);
        let run = |a: usize, b: usize| f32::from(m.longest_run(a, b));
        out.extend([
            cover(s.span.start, c.start),
            of(previous.map(|p| &p.span), &cover),
            of(heading, &cover),
            cover(back(40), c.start),
            m.coverage(back(25), c.start, Which::Before),
            self.share(back(8), c.start),
            self.share(back(3), c.start),
            self.share(c.start, c.start + 12),
            self.scores[c.first],
            self.scores[c.first] / self.best_score,
            c.first.checked_sub(1).map_or(0.0, |j| self.scores[j]),
            self.locals[c.first],
            of(previous.map(|p| &p.span), &local),
            of(heading, &local),
            local(back(40), c.start),
            self.locals[c.first] / self.best_local,
            run(back(20), c.start),
            run(s.span.start, s.span.end),
            of(previous.map(|p| &p.span), &run),
            of(heading, &run),
            run(c.start, (c.start + 12).min(page.chars.len())),
        ]);
        let char_before = c.start.checked_sub(1).map_or(' ', |p| page.chars[p]);
        let flag = |b: bool| f32::from(u8::from(b));
        out.extend([
            flag(matches!(char_before, '，' | ',')),
            flag(matches!(char_before, '。' | '；' | ';')),
            flag(matches!(char_before, '：' | ':')),
            flag("为是在于可要应将须需括供有的了过至到达".contains(char_before)),
            flag(page.number_starts[c.start]),
            flag(
                c.first
                    .checked_sub(1)
                    .is_some_and(|j| page.sentences[j].heading),
            ),
            f32::from(s.level),
            flag(s.heading),
            (c.start - s.span.start).min(60) as f32,
            c.start as f32 / page.chars.len() as f32,
        ]);
    }

    fn after(&self, c: &Candidate, out: &mut Vec<f32>) {
        let (page, m) = (self.page, self.matching);
        let n = page.chars.len();
        let next = page.sentences.get(c.last + 1);
        let flag = |b: bool| f32::from(u8::from(b));
        out.extend([
            next.map_or(0.0, |s| f32::from(s.level)),
            flag(next.is_some_and(|s| s.heading)),
            next.map_or(0.0, |s| m.coverage(s.span.start, s.span.end, Which::All)),
            next.map_or(0.0, |_| self.locals[c.last + 1]),
            self.share(c.end, c.end + 10),
            self.share(c.end.saturating_sub(8).max(c.start), c.end),
            m.coverage(c.end, (c.end + 25).min(n), Which::After),
            flag(page.number_ends[c.end]),
        ]);
    }

    fn inside(&self, c: &Candidate, out: &mut Vec<f32>) {
        let (page, m) = (self.page, self.matching);
        let (first, last) = (&page.sentences[c.first], &page.sentences[c.last]);
        let length = (c.end - c.start) as f32;
        let context = c
            .first
            .checked_sub(1)
            .map_or(first.span.start, |j| page.sentences[j].span.start);
        let cover = |a: usize, b: usize| m.coverage(a, b, Which::All);
        let matched = m.matched(c.start, c.end) as f32;
        let context_coverage = cover(context, c.end);
        out.extend([
            length.ln(),
            (c.last - c.first + 1) as f32,
            f32::from(c.start_kind),
            f32::from(c.end_kind),
            cover(c.start, c.end),
            m.coverage(c.start, c.end, Which::Before),
            m.coverage(c.start, c.end, Which::After),
            context_coverage,
            cover(first.span.start, last.span.end),
            context_coverage - cover(context, first.span.start.max(context)),
            matched / length,
            m.local(c.start, c.end),
            m.local(context, c.end),
            m.local(first.span.start, last.span.end),
            matched.ln_1p(),
            (length - matched).ln_1p(),
        ]);
        let counted = |counts: &[u16]| f32::from(counts[c.end] - counts[c.start]).ln_1p();
        let k = &page.counts;
        out.extend(
            [
                &k.numbers,
                &k.dates,
                &k.quotes,
                &k.digits,
                &k.commas,
                &k.enumeration_commas,
            ]
            .map(|v| counted(v)),
        );
        let between = &page.sentences[c.first..=c.last];
        let under = first.under.map_or(11.0, |h| {
            (page.sentences[h].item_end as f32 - c.last as f32).clamp(-5.0, 10.0)
        });
        let hit = k.expected.iter().filter(|v| v[c.end] > v[c.start]).count();
        out.extend([
            between.iter().filter(|s| s.level > 0).count() as f32,
            between.iter().skip(1).filter(|s| s.heading).count() as f32,
            (first.item_end as f32 - c.last as f32).clamp(-5.0, 10.0),
            under,
            hit as f32 / k.expected.len().max(1) as f32,
            k.expected.len() as f32,
            self.asked.length as f32,
            self.standing.rank as f32,
            self.standing.relative,
        ]);
    }
}
