//! What is said instead of an answer.

use super::{ABUSE, INJECTION, SELF_HARM};
use crate::answer::Channel;

/// What a person reads whose message isn't answered, by the first kind of its verdict.
pub fn reply(kinds: &[&str]) -> &'static str {
    match kinds.first().copied().unwrap_or_default() {
        SELF_HARM => {
            "听到您这样说，我很担心您。您不必一个人扛着：请现在就拨打全国心理援助热线 12356（24 小时）；如果您或身边的人正处于危险中，请立即拨打 110 或 120。生活困难、办事受阻可以拨打 12345，会有人帮您一起想办法。如果可以，请告诉一位您信任的家人或朋友，并待在有人的地方。"
        }
        INJECTION | "leak" => {
            "这里只回答政务服务方面的问题，不能更改服务规则，也不能提供系统内部的信息。请直接说您想办的事或想了解的政策。"
        }
        "violence" => {
            "伤害他人解决不了问题，还要承担法律责任。您遇到的困难，可以拨打 12345 反映，会转给负责的部门；如有人身安全受到威胁，请立即拨打 110。"
        }
        "drugs" => {
            "不能提供与毒品有关的内容。如果您或家人需要戒毒帮助，可以拨打 12345 咨询戒毒服务；发现涉毒线索请拨打 110。"
        }
        "gambling" => {
            "不能提供与赌博有关的内容。参与赌博可能违法；如果您或家人深受其扰，可以拨打 12356 寻求心理援助，举报线索请拨打 110。"
        }
        "sexual" => "不能提供色情低俗内容。发现相关违法线索，可以拨打 110 或 12345 举报。",
        "crime" => {
            "这件事涉嫌违法，不能提供办法。如果您遇到实际困难，可以说明情况，我来帮您找合法的政策和办事渠道；也可以拨打 12345 或法律援助热线 12348 咨询。"
        }
        "privacy" => {
            "他人的个人信息受法律保护，不能提供。查询本人信息请通过实名认证的官方渠道办理；涉及纠纷的，可以由公安机关或法院依法调取，也可以拨打 12348 咨询。"
        }
        "hate" => {
            "每个人都应当受到尊重，不能提供歧视、侮辱他人的内容。请直接说您想办的事或想了解的政策。"
        }
        "politics" => {
            "这个问题不在政务服务的范围内。您可以直接说想办的事或想了解的政策；意见建议可以拨打 12345 反映。"
        }
        ABUSE => {
            "很抱歉让您不满意。请说说您遇到了什么事，我会尽力帮您；也可以拨打 12345，由工作人员为您处理。"
        }
        _ => "这个问题不能回答。您可以直接说想办的事或想了解的政策，也可以拨打 12345 咨询。",
    }
}

/// Whom to call, by the first kind of a verdict.
pub fn channels(kinds: &[&str]) -> Vec<Channel> {
    let channel = |name: &str, contact: &str, note: &str| Channel {
        name: name.to_owned(),
        contact: contact.to_owned(),
        note: note.to_owned(),
    };
    let city = channel("政务服务便民热线", "12345", "咨询、求助、投诉、建议");
    let police = channel("报警", "110", "人身安全受到威胁时");
    match kinds.first().copied().unwrap_or_default() {
        SELF_HARM => vec![
            channel("全国统一心理援助热线", "12356", "24 小时，有人倾听和帮助"),
            channel("报警", "110", "您或他人正处于危险中时"),
            channel("急救", "120", "已经受伤或服药时"),
            city,
        ],
        "violence" | "drugs" | "gambling" | "sexual" => vec![city, police],
        "crime" | "privacy" => vec![
            channel("公共法律服务热线", "12348", "法律咨询和法律援助"),
            city,
        ],
        _ => vec![city],
    }
}
