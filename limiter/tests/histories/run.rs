//! Plays many histories on one store, several at a time, tells which break a guarantee, and ends after a few of those.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::actors::Actor;
use crate::checker::check;
use crate::confession;
use crate::front::Front;
use crate::history::{Answered, Cause};
use crate::play::{Played, play};
use crate::program::Program;
use crate::trace::trace;

const PROCESSES: usize = 3;
const AT_A_TIME: usize = 24;
/// Findings that are told before the rest is left.
const ENOUGH: u64 = 3;
/// Limiters remember every instance they have served; fresh ones after so many histories.
const FRESH_AFTER: u32 = 1000;

#[derive(Clone, Copy)]
pub enum Length {
    Histories(u32),
    Time(Duration),
}

#[derive(Clone, Copy, PartialEq)]
pub enum Processes {
    /// Limiters in this process; a kill takes one invocation.
    Here,
    /// Processes of their own; a kill takes all that they were doing.
    There,
}

#[derive(Clone, Debug, Default)]
pub struct Told {
    pub histories: u64,
    pub deliveries: u64,
    pub repeated: u64,
    pub allowed: u64,
    pub exempt: u64,
    pub denied: u64,
    pub blocked: u64,
    pub uncounted: u64,
    pub unanswered: u64,
    pub kills: u64,
    pub requests: u64,
    pub troubles: u64,
    pub lost_answers: u64,
    pub carried_out_late: u64,
    pub admitted_failures: u64,
    pub violations: u64,
}

impl Told {
    pub fn exercised_everything(&self) -> bool {
        [
            self.allowed,
            self.exempt,
            self.denied,
            self.blocked,
            self.repeated,
            self.uncounted,
            self.unanswered,
            self.kills,
            self.lost_answers,
            self.carried_out_late,
        ]
        .iter()
        .all(|count| *count > 0)
            && self.denied * 20 > self.deliveries
            && self.allowed * 5 > self.deliveries
    }

    fn add(&mut self, played: &Played) {
        self.histories += 1;
        let deliveries = &played.history.deliveries;
        self.deliveries += deliveries.len() as u64;
        let mut contacts: Vec<_> = deliveries.iter().map(|one| one.contact).collect();
        contacts.sort_unstable();
        contacts.dedup();
        self.repeated += (deliveries.len() - contacts.len()) as u64;
        for delivery in deliveries {
            match delivery.answered {
                Answered::Allowed => self.allowed += 1,
                Answered::Exempt => self.exempt += 1,
                Answered::Denied {
                    by: Cause::Block, ..
                } => self.blocked += 1,
                Answered::Denied { .. } => self.denied += 1,
                Answered::Uncounted { .. } => self.uncounted += 1,
                Answered::Nothing => self.unanswered += 1,
                Answered::Odd(_) => {}
            }
            self.admitted_failures += u64::from(delivery.admits_failure);
        }
        self.kills += played.totals.kills;
        self.requests += played.totals.requests;
        self.troubles += played.totals.troubles;
        self.lost_answers += played.totals.lost_answers;
        self.carried_out_late += played.totals.carried_out_late;
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "histories            {}", self.histories)?;
        writeln!(f, "invocations          {}", self.deliveries)?;
        writeln!(f, "  allowed            {}", self.allowed)?;
        writeln!(f, "  exempt             {}", self.exempt)?;
        writeln!(f, "  denied             {}", self.denied)?;
        writeln!(f, "  blocked            {}", self.blocked)?;
        writeln!(f, "  not counted        {}", self.uncounted)?;
        writeln!(f, "  unanswered         {}", self.unanswered)?;
        writeln!(f, "  repeated           {}", self.repeated)?;
        writeln!(f, "kills                {}", self.kills)?;
        writeln!(f, "requests             {}", self.requests)?;
        writeln!(f, "  troubled           {}", self.troubles)?;
        writeln!(f, "  answer lost        {}", self.lost_answers)?;
        writeln!(f, "  carried out late   {}", self.carried_out_late)?;
        writeln!(f, "admitted failures    {}", self.admitted_failures)?;
        write!(f, "violations           {}", self.violations)
    }
}

struct Runner {
    front: Front,
    processes: Processes,
    actors: Vec<Arc<Actor>>,
}

pub async fn run(first_seed: u64, length: Length, processes: Processes) -> Told {
    confession::listen();
    let replayed: Option<u64> = std::env::var("RINGFENCE_SEED")
        .ok()
        .map(|seed| seed.parse().unwrap());
    let mut runner = Runner {
        front: Front::open().await,
        processes,
        actors: Vec::new(),
    };
    let length = match std::env::var("RINGFENCE_HISTORIES") {
        Ok(count) => Length::Histories(count.parse().unwrap()),
        Err(_) => length,
    };
    let started = Instant::now();
    let mut told = Told::default();
    let mut playing = JoinSet::new();
    let mut number = 0;
    loop {
        let more = match length {
            Length::Histories(count) => number < count,
            Length::Time(time) => started.elapsed() < time,
        };
        if more && playing.len() < AT_A_TIME {
            if number % FRESH_AFTER == 0 {
                runner.actors = runner.fresh_actors();
            }
            let seed = replayed.unwrap_or(first_seed + u64::from(number));
            playing.spawn(one(
                seed,
                number,
                runner.front.clone(),
                runner.actors.clone(),
            ));
            number += 1;
            continue;
        }
        if told.violations >= ENOUGH {
            break;
        }
        match playing.join_next().await {
            Some(judged) => {
                let (played, findings) = judged.unwrap();
                told.add(&played);
                if let Some(findings) = findings {
                    told.violations += 1;
                    eprintln!("{findings}");
                }
            }
            None => break,
        }
    }
    println!("{told}");
    told
}

impl Runner {
    fn fresh_actors(&self) -> Vec<Arc<Actor>> {
        let actor = |_| match self.processes {
            Processes::Here => Actor::here(&self.front.endpoint),
            Processes::There => Actor::there(&self.front.endpoint),
        };
        (0..PROCESSES).map(actor).collect()
    }
}

async fn one(
    seed: u64,
    number: u32,
    front: Front,
    actors: Vec<Arc<Actor>>,
) -> (Played, Option<String>) {
    let program = Program::of(seed, actors.len());
    let played = play(&program, number, &front, &actors).await;
    let findings = check(&played.history);
    let findings = (!findings.is_empty()).then(|| trace(&program, &played, &findings));
    (played, findings)
}
