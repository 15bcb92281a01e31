//! The registered businesses with their profiles.

use std::{collections::BTreeSet, sync::Arc};

use jiff::civil::Date;
use kernel::{
    Error, ErrorCode, Page, Result,
    capability::Context,
    page::PageRequest,
    records::{Collection, Condition, Expect, Query, Records, Sort, Write},
    time,
};
use lang::identifier;
use platform::identity::Identity;
use rules::Facts;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::{
    profile::{self, Wrong},
    synthetic::Made,
};

/// Businesses, by their unified social credit code.
pub const BUSINESSES: Collection = Collection {
    name: "businesses",
    indexed: &["name", "credit_code", "owner", "district", "industry"],
};

/// The longest name or address, in characters.
const LINE: usize = 100;

/// How many businesses are read or written at a time.
const BATCH: usize = 1_000;

/// Who told of a business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Itself.
    Own,
    /// An office.
    Office,
    /// A table.
    Import,
    /// It was made up for demonstration.
    Synthetic,
}

/// Whom to reach.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// Who.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub person: Option<String>,
    /// Where to call.
    #[serde(default)]
    #[schemars(length(max = 30))]
    pub phone: Option<String>,
    /// Where to write.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub address: Option<String>,
}

/// A business as the store keeps it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Business {
    /// Its name.
    pub name: String,
    /// Its unified social credit code.
    pub credit_code: String,
    /// Whom to reach.
    pub contact: Contact,
    /// What is known of it.
    pub profile: Map<String, Json>,
    /// Of the profile, to be searched.
    pub district: Option<String>,
    /// Of the profile, to be searched.
    pub industry: Option<String>,
    /// The account that acts for it.
    pub owner: Option<String>,
    /// An identity provider confirmed that the account acts for it.
    pub confirmed: bool,
    /// Who told of it.
    pub source: Source,
    /// When it was registered.
    pub created_at: String,
    /// When it was last changed.
    pub updated_at: String,
}

/// What is told of a business.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BusinessInput {
    /// Its name, as on its licence.
    #[schemars(length(min = 2, max = 100))]
    pub name: String,
    /// Its unified social credit code: 18 characters, the last of which checks the others.
    #[schemars(length(min = 18, max = 40))]
    pub credit_code: String,
    /// Whom to reach.
    #[serde(default)]
    pub contact: Contact,
    /// What is known of it: values of their type, or words for them. The fields are those of `support.profile_fields`.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, Json>")]
    pub profile: Map<String, Json>,
}

/// A business as it is shown.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct BusinessView {
    /// Its id: the code.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its unified social credit code.
    pub credit_code: String,
    /// Whom to reach.
    pub contact: Contact,
    /// What is known of it.
    #[schemars(with = "std::collections::BTreeMap<String, Json>")]
    pub profile: Map<String, Json>,
    /// The same in words, in the order of the form.
    pub told: Vec<Told>,
    /// An identity provider confirmed that the account acts for it.
    pub confirmed: bool,
    /// It was made up for demonstration.
    pub synthetic: bool,
    /// When it was last changed.
    pub updated_at: String,
}

/// A fact in words.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Told {
    /// The field.
    pub field: String,
    /// Its label.
    pub label: String,
    /// Its value.
    pub value: String,
}

/// A business in a list.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct BusinessSummary {
    /// Its id: the code.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Where it is registered, in Chinese.
    pub district: Option<String>,
    /// Its industry, in Chinese.
    pub industry: Option<String>,
    /// It was made up for demonstration.
    pub synthetic: bool,
    /// When it was last changed.
    pub updated_at: String,
}

/// Which businesses.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BusinessesInput {
    /// Words of the name, or of the code.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub q: Option<String>,
    /// Only of this district.
    #[serde(default)]
    pub district: Option<String>,
    /// Only of this industry.
    #[serde(default)]
    pub industry: Option<String>,
    /// The page, from 1.
    #[serde(default)]
    pub page: Option<u64>,
    /// Businesses a page.
    #[serde(default)]
    pub page_size: Option<u64>,
}

/// The registered businesses.
pub struct Businesses {
    records: Arc<dyn Records>,
    identity: Arc<Identity>,
}

/// What was told, as it can be stored.
#[derive(Clone, Debug)]
pub struct Sound {
    /// The name.
    pub name: String,
    /// The code.
    pub credit_code: String,
    /// Whom to reach.
    pub contact: Contact,
    /// What is known.
    pub facts: Facts,
}

impl BusinessInput {
    /// Checks what is told.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn sound(&self, on: Date) -> std::result::Result<Sound, Vec<Wrong>> {
        let mut wrong = Vec::new();
        let mut say = |field: &str, message: &str| {
            wrong.push(Wrong {
                field: field.to_owned(),
                message: message.to_owned(),
            });
        };
        let name = line(&self.name);
        if !(2..=LINE).contains(&name.chars().count()) {
            say("name", "企业名称：2到100个字，照营业执照写。");
        }
        let code = identifier::credit_code(&self.credit_code);
        if code.is_none() {
            say(
                "credit_code",
                "统一社会信用代码不对：应当是18位，请对照营业执照核对。",
            );
        }
        let told = |text: &Option<String>| text.as_deref().map(line).filter(|t| !t.is_empty());
        let contact = Contact {
            person: told(&self.contact.person),
            phone: told(&self.contact.phone),
            address: told(&self.contact.address),
        };
        for (field, text) in [("person", &contact.person), ("address", &contact.address)] {
            if text.as_ref().is_some_and(|t| t.chars().count() > LINE) {
                say(field, "联系人和地址最多100个字。");
            }
        }
        if let Some(phone) = &contact.phone
            && identifier::phone(phone).is_none()
        {
            say("phone", "联系电话不对：手机号是11位；座机请带区号。");
        }
        let facts = profile::read(&self.profile, on);
        match (wrong.is_empty(), code, facts) {
            (true, Some(credit_code), Ok(facts)) => Ok(Sound {
                name,
                credit_code,
                contact,
                facts,
            }),
            (_, _, facts) => {
                wrong.extend(facts.err().unwrap_or_default());
                Err(wrong)
            }
        }
    }
}

/// One line, without blanks around it.
fn line(text: &str) -> String {
    let plain = text.trim().chars();
    plain
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// An error of what is wrong.
pub fn refused(wrong: &[Wrong]) -> Error {
    let said: Vec<&str> = wrong.iter().take(8).map(|w| w.message.as_str()).collect();
    Error::new(ErrorCode::InvalidInput, said.join("\n"))
}

impl Business {
    /// What is known of it, as rules see it. What this program does not understand is unknown.
    pub fn facts(&self, on: Date) -> Facts {
        match profile::read(&self.profile, on) {
            Ok(facts) => facts,
            Err(wrong) => {
                let bad: BTreeSet<&str> = wrong.iter().map(|w| w.field.as_str()).collect();
                let mut rest = self.profile.clone();
                rest.retain(|field, _| !bad.contains(field.as_str()));
                profile::read(&rest, on).unwrap_or_default()
            }
        }
    }

    fn of(sound: Sound, source: Source) -> Self {
        let now = time::now();
        let profile = profile::written(&sound.facts);
        let text = |id: &str| profile.get(id).and_then(Json::as_str).map(str::to_owned);
        Self {
            district: text("district"),
            industry: text("industry"),
            name: sound.name,
            credit_code: sound.credit_code,
            contact: sound.contact,
            profile,
            owner: None,
            confirmed: false,
            source,
            created_at: now.clone(),
            updated_at: now,
        }
    }

    /// As it is shown.
    pub fn view(self, on: Date) -> BusinessView {
        let facts = self.facts(on);
        let told = profile::fields().iter().filter_map(|field| {
            Some(Told {
                field: field.id.clone(),
                label: field.label.clone(),
                value: profile::told(&field.id, facts.get(&field.id)?),
            })
        });
        BusinessView {
            told: told.collect(),
            id: self.credit_code.clone(),
            name: self.name,
            credit_code: self.credit_code,
            contact: self.contact,
            profile: self.profile,
            confirmed: self.confirmed,
            synthetic: self.source == Source::Synthetic,
            updated_at: self.updated_at,
        }
    }

    fn summary(self) -> BusinessSummary {
        let told = |id: &str, value: Option<String>| {
            value.map(|v| profile::told(id, &rules::Value::Text(v)))
        };
        BusinessSummary {
            id: self.credit_code,
            name: self.name,
            district: told("district", self.district),
            industry: told("industry", self.industry),
            synthetic: self.source == Source::Synthetic,
            updated_at: self.updated_at,
        }
    }
}

impl Businesses {
    /// Opens the businesses of a store.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn open(records: Arc<dyn Records>, identity: Arc<Identity>) -> Result<Arc<Self>> {
        records.define(&[BUSINESSES]).await?;
        Ok(Arc::new(Self { records, identity }))
    }

    /// A business.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub async fn get(&self, id: &str) -> Result<Business> {
        let found = self.records.read(&BUSINESSES, id).await?;
        found.ok_or_else(|| Error::not_found("这家企业"))
    }

    /// The business that the caller acts for.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub async fn own(&self, context: &Context) -> Result<Business> {
        let found = self.owned(context.caller.owner()).await?;
        found.ok_or_else(|| {
            Error::new(
                ErrorCode::NotFound,
                "还没有登记企业档案。请先填写企业名称、统一社会信用代码和档案。",
            )
        })
    }

    async fn owned(&self, owner: &str) -> Result<Option<Business>> {
        let query = Query::by(Condition::is("owner", owner));
        Ok(self.records.list(&BUSINESSES, &query).await?.pop())
    }

    /// The businesses that match, by name.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn list(&self, input: &BusinessesInput) -> Result<Page<BusinessSummary>> {
        let page = PageRequest {
            page: input.page,
            page_size: input.page_size,
        };
        let mut all = Vec::new();
        let words = input.q.iter().flat_map(|q| q.split_whitespace()).take(8);
        for word in words {
            all.push(Condition::Any(vec![
                Condition::contains("name", word),
                Condition::contains("credit_code", word),
            ]));
        }
        if let Some(district) = &input.district {
            all.push(Condition::is("district", district.as_str()));
        }
        if let Some(industry) = &input.industry {
            all.push(Condition::is("industry", industry.as_str()));
        }
        let total = self.records.count(&BUSINESSES, &all).await?;
        let query = Query {
            all,
            sort: Some(Sort {
                field: "name".to_owned(),
                descending: false,
            }),
            offset: page.offset(),
            limit: page.size(),
        };
        let found: Vec<Business> = self.records.list(&BUSINESSES, &query).await?;
        Ok(page.of(found.into_iter().map(Business::summary).collect(), total))
    }

    /// All of them, by code.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn all(&self) -> Result<Vec<Business>> {
        self.records.list(&BUSINESSES, &Query::default()).await
    }

    /// How many there are.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn count(&self) -> Result<u64> {
        self.records.count(&BUSINESSES, &[]).await
    }

    /// Registers or changes a business for an office.
    ///
    /// # Errors
    /// `InvalidInput`, `Conflict`, `StorageFull`, `Storage`.
    pub async fn put(&self, context: &Context, input: &BusinessInput) -> Result<Business> {
        let sound = input.sound(time::today()).map_err(|w| refused(&w))?;
        context.note("business", sound.credit_code.as_str());
        let record = self.records.get(&BUSINESSES, &sound.credit_code).await?;
        let mut business = Business::of(sound, Source::Office);
        let mut expect = Expect::Absent;
        if let Some(record) = record {
            expect = Expect::Revision(record.revision);
            let before: Business = serde_json::from_value(record.body).map_err(Error::internal)?;
            business.owner = before.owner;
            business.confirmed = before.confirmed;
            business.created_at = before.created_at;
        }
        self.store(&business, expect).await?;
        Ok(business)
    }

    /// Registers or changes the business that the caller acts for.
    ///
    /// # Errors
    /// `InvalidInput`; `Conflict` if it belongs to another account, or the caller's is another; `StorageFull`, `Storage`.
    pub async fn put_own(&self, context: &Context, input: &BusinessInput) -> Result<Business> {
        let sound = input.sound(time::today()).map_err(|w| refused(&w))?;
        let owner = context.caller.owner().to_owned();
        context.note("business", sound.credit_code.as_str());
        let conflict = |message: &str| Err(Error::new(ErrorCode::Conflict, message));
        // Whom an identity provider named; a key stands for nobody.
        let named = match self.identity.user(&owner).await {
            Ok(user) => user.business.filter(|_| user.verified),
            Err(error) if error.code == ErrorCode::NotFound => None,
            Err(error) => return Err(error),
        };
        let confirmed = named
            .as_ref()
            .is_some_and(|b| b.credit_code == sound.credit_code);
        if named.is_some() && !confirmed {
            return conflict("统一社会信用代码与登录的企业不一致。");
        }
        if let Some(own) = self.owned(&owner).await?
            && own.credit_code != sound.credit_code
        {
            return conflict("这个账号已经登记了另一家企业；要更改统一社会信用代码，请联系窗口。");
        }
        let record = self.records.get(&BUSINESSES, &sound.credit_code).await?;
        let mut business = Business::of(sound, Source::Own);
        business.owner = Some(owner.clone());
        business.confirmed = confirmed;
        let mut expect = Expect::Absent;
        if let Some(record) = record {
            expect = Expect::Revision(record.revision);
            let before: Business = serde_json::from_value(record.body).map_err(Error::internal)?;
            // Whoever was confirmed may take over; nobody else may take what an office registered or another account holds.
            let held = before.owner.as_ref() != Some(&owner);
            if held && (!confirmed || before.confirmed) {
                return conflict(
                    "这家企业已经登记。请用经过实名认证的企业账号登录，或者到窗口办理关联。",
                );
            }
            business.created_at = before.created_at;
        }
        self.store(&business, expect).await?;
        Ok(business)
    }

    async fn store(&self, business: &Business, expect: Expect) -> Result<()> {
        let write = Write::put(&BUSINESSES, business.credit_code.clone(), business)?;
        self.records.apply(vec![write.expecting(expect)]).await?;
        Ok(())
    }

    /// Takes businesses in, all or none. Of one that is registered already, what is told now replaces what was told before;
    /// what is not told now stays.
    ///
    /// # Errors
    /// `StorageFull`, `Storage`.
    pub async fn take_in(&self, told: Vec<Sound>) -> Result<usize> {
        let mut batch = Vec::with_capacity(told.len());
        for chunk in told.chunks(BATCH) {
            let codes = chunk.iter().map(|s| s.credit_code.as_str().into());
            let query = Query::by(Condition::In("credit_code".to_owned(), codes.collect()));
            let known: Vec<Business> = self.records.list(&BUSINESSES, &query).await?;
            for sound in chunk {
                let before = known.iter().find(|b| b.credit_code == sound.credit_code);
                let mut business = Business::of(sound.clone(), Source::Import);
                if let Some(before) = before {
                    for (field, value) in &before.profile {
                        let stays = !business.profile.contains_key(field);
                        if stays {
                            business.profile.insert(field.clone(), value.clone());
                        }
                    }
                    let contact = &mut business.contact;
                    let old = &before.contact;
                    contact.person = contact.person.take().or_else(|| old.person.clone());
                    contact.phone = contact.phone.take().or_else(|| old.phone.clone());
                    contact.address = contact.address.take().or_else(|| old.address.clone());
                    business.district = business.district.or_else(|| before.district.clone());
                    business.industry = business.industry.or_else(|| before.industry.clone());
                    business.owner.clone_from(&before.owner);
                    business.confirmed = before.confirmed;
                    business.created_at.clone_from(&before.created_at);
                }
                let id = business.credit_code.clone();
                batch.push(Write::put(&BUSINESSES, id, &business)?);
            }
        }
        let count = batch.len();
        if count > 0 {
            self.records.apply(batch).await?;
        }
        Ok(count)
    }

    /// Takes made-up businesses in, and says of each that it is.
    ///
    /// # Errors
    /// `StorageFull`, `Storage`.
    pub async fn take_in_made(&self, made: Vec<Made>) -> Result<usize> {
        let mut batch = Vec::with_capacity(made.len());
        for one in made {
            let sound = Sound {
                name: one.name,
                credit_code: one.credit_code,
                contact: Contact::default(),
                facts: one.facts,
            };
            let business = Business::of(sound, Source::Synthetic);
            let id = business.credit_code.clone();
            batch.push(Write::put(&BUSINESSES, id, &business)?);
        }
        let count = batch.len();
        if count > 0 {
            self.records.apply(batch).await?;
        }
        Ok(count)
    }
}
