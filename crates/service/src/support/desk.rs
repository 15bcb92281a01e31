//! What people ask of policies and businesses.

use std::{cmp::Reverse, sync::Arc};

use jiff::civil::Date;
use kernel::{Page, Result, capability::Context, identity::Role, page::PageRequest, time};
use rules::{
    Facts, Value,
    assessment::State,
    book::{Case, Severity},
    counterfactual::Change,
    sieve::Verdict,
};
use rust_decimal::Decimal;

use super::{
    businesses::{Business, Businesses, Source, refused},
    catalogue::{Entry, Policies},
    matching::{self, Firm, Ready},
    profile,
    view::{
        Beneficiaries, BeneficiariesInput, Beneficiary, Benefit, ConditionView, FactName, Fit,
        MatchInput, MatchView, MineView, PoliciesInput, PolicyMatch, PolicySummary, PolicyView,
        ProfileQuestion, ProposedChange,
    },
};
use crate::{
    bases::{Bases, Citing},
    guide::view::form_name,
    items::capabilities::{Said, limit_told, parameters},
};

/// Policies, businesses, and what they stand on.
pub struct SupportDesk {
    /// The policies.
    pub policies: Arc<Policies>,
    /// The businesses.
    pub businesses: Arc<Businesses>,
    bases: Arc<Bases>,
}

impl SupportDesk {
    /// Of these policies, businesses and documents.
    pub fn new(policies: Arc<Policies>, businesses: Arc<Businesses>, bases: Arc<Bases>) -> Self {
        Self {
            policies,
            businesses,
            bases,
        }
    }

    /// The policies that match, by name.
    pub fn list(&self, input: &PoliciesInput) -> Page<PolicySummary> {
        let page = PageRequest {
            page: input.page,
            page_size: input.page_size,
        };
        let on = time::today();
        let words: Vec<String> = input
            .q
            .iter()
            .flat_map(|q| q.split_whitespace())
            .map(str::to_lowercase)
            .collect();
        let holds = |text: &str, word: &str| text.to_lowercase().contains(word);
        let in_industry = input.industry.as_ref().map(|industry| {
            let value = Value::Text(industry.clone());
            Firm::new(Facts::from([("industry".to_owned(), value)]))
        });
        let entries = self.policies.all();
        let mut found: Vec<&Arc<Entry>> = entries
            .values()
            .filter(|e| {
                let p = &e.policy;
                let topic = input.topic.as_ref();
                (input.all == Some(true) || p.holds(on))
                    && topic.is_none_or(|t| p.topics.contains(t))
                    && input.automatic.is_none_or(|a| a == p.automatic)
                    && words.iter().all(|w| {
                        let texts = [&p.name, &p.summary, &p.agency, &p.document];
                        texts.into_iter().chain(&p.topics).any(|t| holds(t, w))
                    })
            })
            .filter(|e| {
                in_industry.as_ref().is_none_or(|firm| {
                    let verdict = Ready::new((*e).clone(), on).verdict(firm);
                    matches!(verdict, Verdict::Eligible | Verdict::Undecided)
                })
            })
            .collect();
        found.sort_by(|a, b| a.policy.name.cmp(&b.policy.name));
        let total = found.len() as u64;
        let shown = found.into_iter().skip(page.offset() as usize);
        let shown = shown.take(page.size() as usize).map(|e| summary(e, on));
        page.of(shown.collect(), total)
    }

    /// A policy.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub async fn policy(&self, context: &Context, id: &str) -> Result<PolicyView> {
        let entry = self.policies.get(id)?;
        let policy = &entry.policy;
        let on = time::today();
        let mut citing = self.bases.reply(on);
        let none = Facts::new();
        let case = Case {
            book: &entry.book,
            facts: &none,
            on,
        };
        let (mut conditions, mut benefits, mut materials) = (Vec::new(), Vec::new(), Vec::new());
        for rule in &policy.rules {
            conditions.push(Said {
                text: rule.text.clone(),
                note: rule.otherwise.as_ref().map(|o| case.filled(o)),
                citations: citing.cite(&policy.basis, &rule.basis).await?,
            });
        }
        for amount in policy.amounts.iter().filter(|a| !a.hidden) {
            benefits.push(Benefit {
                label: amount.label.clone(),
                headline: amount.headline,
                told: Some(amount.value.tell(&case, &case)),
                steps: Vec::new(),
                note: amount.note.as_ref().map(|n| case.filled(n)),
                citations: citing.cite(&policy.basis, &amount.basis).await?,
            });
        }
        for material in &policy.materials {
            materials.push(Said {
                text: format!("{}（{}）", material.name, form_name(material.form)),
                note: material.exempt.clone().or_else(|| material.note.clone()),
                citations: citing.cite(&policy.basis, &material.basis).await?,
            });
        }
        let mut missing_bases = Vec::new();
        for basis in &policy.basis {
            let ids = [basis.id.clone()];
            if citing.cite(&policy.basis, &ids).await?.is_empty() {
                missing_bases.push(format!("{}：{}", basis.document, basis.quote));
            }
        }
        let may_change = context.caller.is(Role::Expert) || context.caller.is_administrator();
        Ok(PolicyView {
            summary: summary(&entry, on),
            document: policy.document.clone(),
            region: policy.region.clone(),
            conditions,
            benefits,
            asks: entry.asks.iter().map(|id| fact_name(id)).collect(),
            materials,
            parameters: parameters(&policy.parameters),
            channels: policy.channels.clone(),
            steps: policy.steps.clone(),
            citations: citing.citations(),
            missing_bases,
            source: may_change.then(|| entry.source.clone()),
        })
    }

    /// What a business of this profile is entitled to.
    ///
    /// # Errors
    /// `InvalidInput`, `Storage`.
    pub async fn matches(&self, input: &MatchInput) -> Result<MatchView> {
        let today = time::today();
        let on = input.as_of.unwrap_or(today);
        let facts = profile::read(&input.profile, on.max(today)).map_err(|w| refused(&w))?;
        self.fits(facts, on).await
    }

    /// What the caller's business is entitled to.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub async fn mine(&self, context: &Context, as_of: Option<Date>) -> Result<MineView> {
        let business = self.businesses.own(context).await?;
        let today = time::today();
        let facts = business.facts(today);
        Ok(MineView {
            business: business.view(today),
            matches: self.fits(facts, as_of.unwrap_or(today)).await?,
        })
    }

    async fn fits(&self, facts: Facts, on: Date) -> Result<MatchView> {
        let firm = Firm::new(facts);
        let ready = matching::ready(self.policies.all().values(), on);
        let mut found: Vec<(Fit, Decimal, PolicyMatch)> = Vec::new();
        let mut citing = self.bases.reply(on);
        for policy in &ready {
            let one = fitted(policy, &firm, on, &mut citing).await?;
            let worth = one.worth.as_deref().and_then(|w| w.parse().ok());
            found.push((one.fit, worth.unwrap_or_default(), one));
        }
        found.sort_by(|a, b| (Reverse(a.1), &a.2.name).cmp(&(Reverse(b.1), &b.2.name)));
        let of = |fit: Fit| -> Vec<PolicyMatch> {
            let chosen = found.iter().filter(|f| f.0 == fit);
            chosen.map(|f| f.2.clone()).collect()
        };
        let questions = matching::questions(&ready, &firm, on).into_iter();
        let questions = questions.filter_map(|q| {
            let field = profile::fields().iter().find(|f| f.id == q.field)?;
            Some(ProfileQuestion {
                field: field.id.clone(),
                label: field.label.clone(),
                kind: field.kind,
                settles: q.settles,
                asked_by: q.asked_by,
            })
        });
        Ok(MatchView {
            on,
            policies: ready.len(),
            eligible: of(Fit::Eligible),
            near: of(Fit::Near),
            unknown: of(Fit::Unknown),
            not_met: of(Fit::NotMet),
            questions: questions.collect(),
            citations: citing.citations(),
        })
    }

    /// Which registered businesses a policy is for.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub async fn beneficiaries(&self, input: &BeneficiariesInput) -> Result<Beneficiaries> {
        let page = PageRequest {
            page: input.page,
            page_size: input.page_size,
        };
        let entry = self.policies.get(&input.id)?;
        let today = time::today();
        let on = input.as_of.unwrap_or(today);
        let wanted = input.which.unwrap_or(Fit::Eligible);
        let ready = Ready::new(entry.clone(), on);
        let in_force = entry.policy.holds(on);
        let all = if in_force {
            self.businesses.all().await?
        } else {
            Vec::new()
        };
        let registered = if in_force {
            all.len()
        } else {
            usize::try_from(self.businesses.count().await?).unwrap_or(usize::MAX)
        };
        let mut counts = matching::Tally::default();
        let mut total_worth = Decimal::ZERO;
        let mut chosen: Vec<(Option<Decimal>, Business, Firm, Verdict)> = Vec::new();
        for business in all {
            let firm = Firm::new(business.facts(today));
            let verdict = ready.verdict(&firm);
            counts.count(verdict);
            let worth = ready.worth(&firm);
            if verdict == Verdict::Eligible {
                total_worth += worth.unwrap_or_default();
            }
            let fit = match verdict {
                Verdict::Eligible => Fit::Eligible,
                Verdict::Undecided => Fit::Unknown,
                Verdict::Near(_) => Fit::Near,
                Verdict::Far => Fit::NotMet,
            };
            if fit == wanted {
                chosen.push((worth, business, firm, verdict));
            }
        }
        chosen.sort_by(|a, b| (Reverse(a.0), &a.1.name).cmp(&(Reverse(b.0), &b.1.name)));
        let total = chosen.len() as u64;
        let shown = chosen.into_iter().skip(page.offset() as usize);
        let items = shown
            .take(page.size() as usize)
            .map(|(worth, business, firm, verdict)| {
                beneficiary(&ready, worth, business, &firm, verdict)
            });
        let policy = &entry.policy;
        Ok(Beneficiaries {
            id: policy.id.clone(),
            name: policy.name.clone(),
            automatic: policy.automatic,
            on,
            in_force,
            eligible: counts.eligible,
            near: counts.near,
            unknown: counts.undecided,
            registered,
            worth: total_worth.normalize().to_string(),
            items: items.collect(),
            total,
            page: page.page(),
            page_size: page.size(),
        })
    }
}

fn beneficiary(
    ready: &Ready,
    worth: Option<Decimal>,
    business: Business,
    firm: &Firm,
    verdict: Verdict,
) -> Beneficiary {
    let open = match verdict {
        Verdict::Undecided => unknown(ready, &firm.facts),
        verdict => ready.in_the_way(verdict),
    };
    let changes = match verdict {
        Verdict::Near(_) => ready.changes(firm).unwrap_or_default(),
        _ => Vec::new(),
    };
    let district = firm.facts.get("district");
    Beneficiary {
        id: business.credit_code,
        name: business.name,
        district: district.map(|d| profile::told("district", d)),
        synthetic: business.source == Source::Synthetic,
        worth: worth.map(|w| w.normalize().to_string()),
        open,
        changes: proposed(changes),
    }
}

/// What a policy asks and is not known, by its label.
fn unknown(ready: &Ready, facts: &Facts) -> Vec<String> {
    let asks = ready.entry.asks.iter();
    let open = asks.filter(|id| !facts.contains_key(**id));
    open.map(|id| fact_name(id).label).collect()
}

fn proposed(changes: Vec<Change>) -> Vec<ProposedChange> {
    let one = |change: Change| {
        let facts = Facts::from([(change.field.clone(), change.value)]);
        let value = profile::written(&facts).remove(&change.field);
        ProposedChange {
            field: change.field,
            label: change.label,
            from: change.from,
            to: change.to,
            value: value.unwrap_or_default(),
        }
    };
    changes.into_iter().map(one).collect()
}

fn fact_name(id: &str) -> FactName {
    let field = profile::fields().iter().find(|f| f.id == id);
    FactName {
        field: id.to_owned(),
        label: field.map_or_else(|| id.to_owned(), |f| f.label.clone()),
    }
}

fn summary(entry: &Entry, on: Date) -> PolicySummary {
    let policy = &entry.policy;
    PolicySummary {
        id: policy.id.clone(),
        name: policy.name.clone(),
        agency: policy.agency.clone(),
        summary: policy.summary.clone(),
        topics: policy.topics.clone(),
        automatic: policy.automatic,
        from: policy.from,
        until: policy.until,
        in_force: policy.holds(on),
        benefit: policy
            .headline()
            .map(|h| h.label.clone())
            .unwrap_or_default(),
        time_limit: limit_told(&policy.time_limit),
        updated_at: entry.updated_at.clone(),
    }
}

/// How a policy fits a business, with reasons and citations.
async fn fitted(
    ready: &Ready,
    firm: &Firm,
    on: Date,
    citing: &mut Citing<'_>,
) -> Result<PolicyMatch> {
    let entry = &ready.entry;
    let policy = &entry.policy;
    let verdict = ready.verdict(firm);
    let changes = match verdict {
        Verdict::Near(_) => ready.changes(firm).unwrap_or_default(),
        _ => Vec::new(),
    };
    let fit = match verdict {
        Verdict::Eligible => Fit::Eligible,
        Verdict::Undecided => Fit::Unknown,
        Verdict::Near(_) if !changes.is_empty() => Fit::Near,
        Verdict::Near(_) | Verdict::Far => Fit::NotMet,
    };
    let assessed = entry.book.assess(&firm.facts, on);
    let mut conditions = Vec::new();
    for rule in assessed.rules {
        if fit == Fit::NotMet && rule.state != State::Unmet {
            continue;
        }
        conditions.push(ConditionView {
            citations: citing.cite(&policy.basis, &rule.basis).await?,
            text: rule.text,
            state: rule.state,
            note: rule.severity == Severity::Note,
            told: rule.told,
            reason: rule.reason,
            used: rule.used,
        });
    }
    // What a near miss would bring, once it is no miss.
    let amounts = if changes.is_empty() {
        assessed.amounts
    } else {
        let mut changed = firm.facts.clone();
        let news = changes.iter().map(|c| (c.field.clone(), c.value.clone()));
        changed.extend(news);
        entry.book.assess(&changed, on).amounts
    };
    let mut benefits = Vec::new();
    let mut worth = None;
    for amount in amounts {
        let unit = entry
            .book
            .amount(&amount.id)
            .and_then(|a| a.unit.as_deref());
        if amount.headline && unit == Some("元") && fit != Fit::NotMet {
            worth = amount.value.as_ref().and_then(Value::number);
        }
        if fit != Fit::NotMet {
            benefits.push(Benefit {
                citations: citing.cite(&policy.basis, &amount.basis).await?,
                label: amount.label,
                headline: amount.headline,
                told: amount.told,
                steps: amount.steps,
                note: amount.note,
            });
        }
    }
    Ok(PolicyMatch {
        id: policy.id.clone(),
        name: policy.name.clone(),
        agency: policy.agency.clone(),
        summary: policy.summary.clone(),
        topics: policy.topics.clone(),
        automatic: policy.automatic,
        until: policy.until,
        fit,
        worth: worth.map(|w| w.normalize().to_string()),
        benefits,
        conditions,
        missing: missing(entry, &firm.facts, fit, on),
        changes: proposed(changes),
    })
}

/// What is not known and would decide: the most decisive first, then in the order of the form.
fn missing(entry: &Entry, facts: &Facts, fit: Fit, on: Date) -> Vec<FactName> {
    if matches!(fit, Fit::NotMet | Fit::Near) {
        return Vec::new();
    }
    let first = entry.book.next_question(facts, on).map(|f| f.id.as_str());
    let asks = entry.asks.iter().copied();
    let open = asks.filter(|id| !facts.contains_key(*id) && Some(*id) != first);
    first.into_iter().chain(open).map(fact_name).collect()
}
