//! Who calls, and what they may.

use std::{collections::BTreeSet, fmt, net::IpAddr, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What somebody does for the city, or is to it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// 市民: asks and applies for themselves.
    Citizen,
    /// 企业: acts for a business.
    Business,
    /// 窗口人员: answers, approves, writes documents.
    Clerk,
    /// 业务专家: judges answers and corrects them.
    Expert,
    /// 领导: asks the city's data.
    Leader,
    /// 分析员: prepares data, metrics and briefs.
    Analyst,
    /// 值班员: takes incidents in and runs them.
    DutyOfficer,
    /// 指挥员: decides on dangerous steps.
    Commander,
    /// 现场人员: carries out tasks and reports.
    FieldWorker,
    /// 视频巡查员: watches cameras.
    CameraOperator,
    /// 应用开发者: builds apps on the platform.
    AppDeveloper,
    /// 管理员: runs the installation.
    Administrator,
}

impl Role {
    /// All roles.
    pub const ALL: [Role; 12] = [
        Self::Citizen,
        Self::Business,
        Self::Clerk,
        Self::Expert,
        Self::Leader,
        Self::Analyst,
        Self::DutyOfficer,
        Self::Commander,
        Self::FieldWorker,
        Self::CameraOperator,
        Self::AppDeveloper,
        Self::Administrator,
    ];

    /// Everybody who works for the city, the administrator included.
    pub const STAFF: [Role; 10] = [
        Self::Clerk,
        Self::Expert,
        Self::Leader,
        Self::Analyst,
        Self::DutyOfficer,
        Self::Commander,
        Self::FieldWorker,
        Self::CameraOperator,
        Self::AppDeveloper,
        Self::Administrator,
    ];

    /// The stable name, as in the JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Citizen => "citizen",
            Self::Business => "business",
            Self::Clerk => "clerk",
            Self::Expert => "expert",
            Self::Leader => "leader",
            Self::Analyst => "analyst",
            Self::DutyOfficer => "duty_officer",
            Self::Commander => "commander",
            Self::FieldWorker => "field_worker",
            Self::CameraOperator => "camera_operator",
            Self::AppDeveloper => "app_developer",
            Self::Administrator => "administrator",
        }
    }

    /// The role of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.as_str() == name)
    }

    /// Its Chinese name.
    pub fn title(self) -> &'static str {
        match self {
            Self::Citizen => "市民",
            Self::Business => "企业",
            Self::Clerk => "窗口人员",
            Self::Expert => "业务专家",
            Self::Leader => "领导",
            Self::Analyst => "分析员",
            Self::DutyOfficer => "值班员",
            Self::Commander => "指挥员",
            Self::FieldWorker => "现场人员",
            Self::CameraOperator => "视频巡查员",
            Self::AppDeveloper => "应用开发者",
            Self::Administrator => "管理员",
        }
    }

    /// Works for the city.
    pub fn is_staff(self) -> bool {
        !matches!(self, Self::Citizen | Self::Business)
    }
}

/// How an account proved who it is in this call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// Signed in, in a browser or with the token of a sign-in.
    SignIn,
    /// By an API key.
    Key,
    /// The command line of the machine that holds the data folder, or the product itself.
    System,
}

impl Via {
    /// The stable name, as in the JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::Key => "key",
            Self::System => "system",
        }
    }
}

/// An account that has proved who it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Account {
    /// Its id; the key's for a key.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// What it may act as.
    pub roles: BTreeSet<Role>,
    /// The departments that it belongs to, by id.
    pub departments: BTreeSet<String>,
    /// A real person or business stands behind it, as an identity provider confirmed.
    pub verified: bool,
    /// How it proved who it is.
    pub via: Via,
    /// Only these capabilities, for a key whose scope is narrowed; all that its roles allow if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<BTreeSet<String>>,
}

impl Account {
    /// The product itself and the command line at its machine.
    pub fn system(name: &str) -> Self {
        Self {
            id: "system".into(),
            name: name.to_owned(),
            roles: BTreeSet::from([Role::Administrator]),
            departments: BTreeSet::new(),
            verified: false,
            via: Via::System,
            scope: None,
        }
    }
}

/// Who calls.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    /// The browser or program, by an unguessable id of ours; anonymous conversations belong to it.
    pub visitor: String,
    /// Who signed in; none for an anonymous citizen.
    pub account: Option<Account>,
    /// Where from.
    pub address: Option<IpAddr>,
    /// The knowledge spaces that this caller may not see.
    pub hidden_spaces: Arc<BTreeSet<String>>,
}

impl Caller {
    /// The product itself and the command line at its machine.
    pub fn system(name: &str) -> Self {
        Self {
            visitor: "system".into(),
            account: Some(Account::system(name)),
            ..Self::default()
        }
    }

    /// Has the role.
    pub fn is(&self, role: Role) -> bool {
        self.account
            .as_ref()
            .is_some_and(|a| a.roles.contains(&role))
    }

    /// Runs this installation.
    pub fn is_administrator(&self) -> bool {
        self.is(Role::Administrator)
    }

    /// Who owns what this caller makes: the account, else the browser.
    pub fn owner(&self) -> &str {
        self.account.as_ref().map_or(&self.visitor, |a| &a.id)
    }

    /// May see this knowledge space.
    pub fn sees(&self, space: &str) -> bool {
        !self.hidden_spaces.contains(space)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_found_by_the_name_that_json_uses() {
        for role in Role::ALL {
            assert_eq!(Role::named(role.as_str()), Some(role));
            assert_eq!(
                serde_json::to_value(role).unwrap(),
                serde_json::Value::from(role.as_str())
            );
            assert_eq!(role.is_staff(), Role::STAFF.contains(&role));
        }
    }
}
