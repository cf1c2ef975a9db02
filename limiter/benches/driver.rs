//! Takes a job on standard input, carries it out with the limiter's own library and client, prints how long things took.
//!
//! Part of `make bench`, which compares decisions with bare conditional writes of the same client to the same store.

use std::io::Read;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::join_all;
use ringfence_limiter::adapters::Aws;
use ringfence_limiter::{Limiter, Settings, SystemClock};
use serde::{Deserialize, Serialize};
use serde_json::Value;

type Error = Box<dyn std::error::Error>;

/// First come connections and caches; that is no part of the figures.
const WARMING_UP: usize = 20;
const LASTS: Duration = Duration::from_secs(8);

#[derive(Deserialize)]
struct Job {
    series: Vec<Vec<Value>>,
    at_once: bool,
    bare_writes: bool,
}

#[derive(Default, Serialize)]
struct Done {
    bare_us: Vec<u128>,
    /// Processor time of all bare writes together.
    bare_cpu_ns: u64,
    series: Vec<Series>,
}

#[derive(Clone, Default, Serialize)]
struct Series {
    us: Vec<u128>,
    cpu_ns: u64,
    total_us: u128,
    allowed: usize,
    answered: usize,
}

struct Driver {
    limiter: Limiter,
    store: aws_sdk_dynamodb::Client,
    table: String,
}

impl Driver {
    fn from_environment() -> Result<Self, Error> {
        let settings = Settings::from_environment()?;
        let aws = Aws::from_environment();
        Ok(Self {
            store: aws.dynamodb(settings.decision_deadline),
            table: settings.meters_table.clone(),
            limiter: Limiter::new(settings, aws, Arc::new(SystemClock)).measured_by(drop_line),
        })
    }

    async fn decide(&self, event: Value, series: &mut Series) -> Result<(), Error> {
        let (begun, worked) = (Instant::now(), processor_ns());
        let answer = self.limiter.handle(event, LASTS).await?;
        series.us.push(begun.elapsed().as_micros());
        series.cpu_ns += processor_ns() - worked;
        series.answered += 1;
        let answer = serde_json::to_value(answer)?;
        series.allowed += usize::from(answer["CallAllowed"] == "true");
        if answer["Reason"] == "unavailable" || answer["Reason"] == "unregistered" {
            return Err(format!("a call was not counted: {answer}").into());
        }
        Ok(())
    }

    async fn bare_write(&self, number: usize) -> Result<u128, Error> {
        let begun = Instant::now();
        self.store
            .put_item()
            .table_name(&self.table)
            .item(
                "pk",
                AttributeValue::S(format!("bare|{}|{number}", std::process::id())),
            )
            .item("ttl", AttributeValue::N("4102444800".to_owned()))
            .condition_expression("attribute_not_exists(pk)")
            .send()
            .await?;
        Ok(begun.elapsed().as_micros())
    }

    async fn in_turns(&self, job: Job) -> Result<Done, Error> {
        let turns = job.series.iter().map(Vec::len).min().unwrap_or_default();
        let mut events: Vec<_> = job.series.into_iter().map(Vec::into_iter).collect();
        let mut done = Done::default();
        let mut series = vec![Series::default(); events.len()];
        for turn in 0..turns {
            if turn == WARMING_UP {
                done = Done::default();
                series.fill(Series::default());
            }
            if job.bare_writes {
                let worked = processor_ns();
                done.bare_us.push(self.bare_write(turn).await?);
                done.bare_cpu_ns += processor_ns() - worked;
            }
            for (events, series) in events.iter_mut().zip(&mut series) {
                if let Some(event) = events.next() {
                    self.decide(event, series).await?;
                }
            }
        }
        done.series = series;
        Ok(done)
    }

    async fn at_once(&self, job: Job) -> Result<Done, Error> {
        let mut done = Done::default();
        for events in job.series {
            let begun = Instant::now();
            let deciding = events.into_iter().map(|event| async move {
                let mut series = Series::default();
                self.decide(event, &mut series).await.map(|()| series)
            });
            let mut all = Series::default();
            for series in join_all(deciding).await {
                let series = series?;
                all.us.extend(series.us);
                all.allowed += series.allowed;
                all.answered += series.answered;
            }
            all.total_us = begun.elapsed().as_micros();
            done.series.push(all);
        }
        Ok(done)
    }
}

/// Of this thread, which is the one that works; nothing where the kernel does not tell.
fn processor_ns() -> u64 {
    let times = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let on_processor = times.split_whitespace().next();
    on_processor
        .and_then(|ns| ns.parse().ok())
        .unwrap_or_default()
}

/// Metrics are made, as in the function, and thrown away.
fn drop_line(_: &str) {}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let mut job = Vec::new();
    std::io::stdin().read_to_end(&mut job)?;
    let job: Job = serde_json::from_slice(&job)?;
    let driver = Driver::from_environment()?;
    let done = if job.at_once {
        driver.at_once(job).await?
    } else {
        driver.in_turns(job).await?
    };
    println!("{}", serde_json::to_string(&done)?);
    Ok(())
}
