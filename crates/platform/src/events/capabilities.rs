//! What the doors offer of events, to administrators.

use kernel::{
    Page, Result,
    capability::{ById, Capability, Context, Definition, Permission, Registered},
    events::Event,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Consumer, DeliveryFilter, EventFilter, Events, OpenDelivery};

/// All capabilities of events.
pub fn all(events: &Events) -> Vec<Registered> {
    vec![
        Registered::new(ListEvents(events.clone())),
        Registered::new(ListDeliveries(events.clone())),
        Registered::new(RetryDelivery(events.clone())),
        Registered::new(DiscardDelivery(events.clone())),
        Registered::new(ListConsumers(events.clone())),
        Registered::new(Replay(events.clone())),
    ]
}

struct ListEvents(Events);

impl Capability for ListEvents {
    type Input = EventFilter;
    type Output = Page<Event>;

    fn definition(&self) -> Definition {
        Definition::get(
            "events.list",
            "事件",
            "分页列出发生的事件，最近的在前，可按类型、对象和日期筛选。",
            "/events",
        )
        .open_to(Permission::ADMINISTRATOR)
    }

    async fn call(&self, _: &Context, input: EventFilter) -> Result<Page<Event>> {
        self.0.list(&input).await
    }
}

struct ListDeliveries(Events);

impl Capability for ListDeliveries {
    type Input = DeliveryFilter;
    type Output = Page<OpenDelivery>;

    fn definition(&self) -> Definition {
        Definition::get(
            "events.deliveries",
            "未完成的投递",
            "分页列出还没有处理完的事件：正在处理、失败待重试、等待更早的事件、已搁置待人处理，最早的在前，可按状态和处理程序筛选。",
            "/events/deliveries",
        )
        .open_to(Permission::ADMINISTRATOR)
    }

    async fn call(&self, _: &Context, input: DeliveryFilter) -> Result<Page<OpenDelivery>> {
        self.0.deliveries(&input).await
    }
}

fn note(context: &Context, delivery: &OpenDelivery) {
    context.note("handler", delivery.handler.as_str());
    context.note("event", delivery.event.id.as_str());
    context.note("kind", delivery.event.kind.as_str());
}

struct RetryDelivery(Events);

impl Capability for RetryDelivery {
    type Input = ById;
    type Output = OpenDelivery;

    fn definition(&self) -> Definition {
        Definition::post(
            "events.retry",
            "重试投递",
            "立即重试一条失败或搁置的投递，重试次数重新计算。",
            "/events/deliveries/{id}/retry",
        )
    }

    async fn call(&self, context: &Context, input: ById) -> Result<OpenDelivery> {
        note(context, &self.0.delivery(&input.id).await?);
        self.0.retry(&input.id).await
    }
}

struct DiscardDelivery(Events);

impl Capability for DiscardDelivery {
    type Input = ById;
    type Output = OpenDelivery;

    fn definition(&self) -> Definition {
        Definition::post(
            "events.discard",
            "放弃投递",
            "放弃一条投递，不再处理；同一对象后面等待的事件随即继续。",
            "/events/deliveries/{id}/discard",
        )
    }

    async fn call(&self, context: &Context, input: ById) -> Result<OpenDelivery> {
        note(context, &self.0.delivery(&input.id).await?);
        self.0.discard(&input.id).await
    }
}

/// How far the handlers are.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Consumers {
    /// One by one.
    pub items: Vec<Consumer>,
}

/// Takes nothing.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "NoFilter")]
#[serde(deny_unknown_fields)]
pub struct NoFilter {}

struct ListConsumers(Events);

impl Capability for ListConsumers {
    type Input = NoFilter;
    type Output = Consumers;

    fn definition(&self) -> Definition {
        Definition::get(
            "events.consumers",
            "事件处理程序",
            "列出各事件处理程序的进度：还有多少事件未看，多少失败、等待或搁置。",
            "/events/consumers",
        )
        .open_to(Permission::ADMINISTRATOR)
    }

    async fn call(&self, _: &Context, _: NoFilter) -> Result<Consumers> {
        Ok(Consumers {
            items: self.0.consumers().await?,
        })
    }
}

/// Names a handler.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ByHandler {
    /// Its name.
    pub name: String,
}

struct Replay(Events);

impl Capability for Replay {
    type Input = ByHandler;
    type Output = Consumer;

    fn definition(&self) -> Definition {
        Definition::post(
            "events.replay",
            "重新处理全部事件",
            "让一个处理程序从现存最早的事件起重新处理一遍，效果会再次产生。只用于重复执行也不会出错的处理程序，例如重建统计或索引；会发通知、调用外部系统的不要使用。该处理程序未完成的投递一并重来。对 relay 使用时，把现存事件重新送往消息服务器（该服务器丢失数据后用），已处理过的不会再有效果。",
            "/events/consumers/{name}/replay",
        )
    }

    async fn call(&self, context: &Context, input: ByHandler) -> Result<Consumer> {
        context.note("handler", input.name.as_str());
        self.0.replay(&input.name).await
    }
}
