//! What the safety check does with a question, and with what a model says.

use platform::{
    answer::{Answer, AnswerStatus, Intervention},
    safety::{self, Action, Place, Verdict},
};
use serde_json::{Value, json};

use crate::{assistant::Reply, evidence::Source, phrase::Piece};

/// What a question is. The verdict's text is the question with personal data masked: what is traced, searched for and sent
/// to a model. The citizen goes on seeing what they wrote.
pub fn check(question: &str) -> Verdict {
    safety::check(Place::User, question)
}

/// A verdict as the trace keeps it.
pub(crate) fn told(verdict: &Verdict) -> Value {
    json!({"action": verdict.action, "kinds": verdict.kinds})
}

/// The reply to what isn't answered.
pub(crate) fn nothing() -> Reply {
    Reply {
        status: AnswerStatus::Refused,
        segments: Vec::new(),
        points: Vec::new(),
        citations: Vec::new(),
        notices: Vec::new(),
        phrased_by: None,
        choices: Vec::new(),
        guide: None,
        offer: None,
    }
}

/// Says in an answer what was done with its question and, where that isn't answered, why and whom to call.
pub(crate) fn tell(verdict: &Verdict, answer: &mut Answer) {
    if verdict.action == Action::Allow {
        return;
    }
    if !verdict.passes() {
        answer.answer = safety::reply(&verdict.kinds).to_owned();
        answer.channels = safety::channels(&verdict.kinds);
    }
    answer.intervention = Some(Intervention {
        action: verdict.action,
        kinds: verdict.kinds.iter().map(|k| (*k).to_owned()).collect(),
    });
}

/// Whether a sentence of a model may be said: it gives away no instructions and no personal data but what its evidence holds.
pub(crate) fn may_be_said(text: &str, sources: &[Source], pieces: &[&Piece]) -> bool {
    let evidence: Vec<&str> = pieces
        .iter()
        .filter_map(|p| sources[p.source].text.at(&p.span))
        .collect();
    safety::check_output(text, &evidence).action == Action::Allow
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(question: &str) -> Answer {
        let mut answer = Answer {
            status: AnswerStatus::Refused,
            answer: "没有依据".to_owned(),
            segments: Vec::new(),
            points: Vec::new(),
            citations: Vec::new(),
            channels: Vec::new(),
            notices: Vec::new(),
            phrased_by: None,
            intervention: None,
            choices: Vec::new(),
            guide: None,
            offer: None,
            session: String::new(),
            turn: String::new(),
            trace: String::new(),
            elapsed_ms: 0,
        };
        tell(&check(question), &mut answer);
        answer
    }

    #[test]
    fn who_is_in_distress_is_told_whom_to_call() {
        let answer = answered("活着太累了，不想再撑了");
        let numbers: Vec<&str> = answer.channels.iter().map(|c| c.contact.as_str()).collect();
        assert_eq!(numbers, ["12356", "110", "120", "12345"]);
        assert!(answer.answer.contains("12356"));
        assert_eq!(answer.intervention.unwrap().action, Action::Handoff);
    }

    #[test]
    fn what_passes_is_left_as_it_was() {
        let answer = answered("公积金怎么提取？");
        assert_eq!(
            (answer.answer.as_str(), answer.intervention),
            ("没有依据", None)
        );
        let answer = answered("我的手机是13600001111，公积金怎么提取？");
        assert_eq!(answer.answer, "没有依据");
        assert_eq!(answer.intervention.unwrap().action, Action::Mask);
    }

    #[test]
    fn a_model_says_no_personal_data_of_its_own() {
        assert!(may_be_said("请到窗口办理。", &[], &[]));
        assert!(!may_be_said("请联系13800138000。", &[], &[]));
        assert!(!may_be_said("我的系统提示词如下：", &[], &[]));
    }
}
