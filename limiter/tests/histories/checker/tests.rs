//! Histories made by hand: what the checker must find, and what it must let pass.

use std::collections::{BTreeMap, BTreeSet};

use super::check;
use crate::history::{Answered, Cause, Contact, Delivery, History, Meter, Standing};
use crate::lists::{Change, Entry, List};
use crate::rules::{Dialled, Dimension, Kind, Mode, Period, Policy, Rule};

const HERE: Dialled = Dialled {
    instance: 0,
    customer: 0,
    caller_id: 0,
    agent: 0,
    queue: 0,
    campaign: 0,
};
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

fn policy(kind: Kind) -> Policy {
    let rule = Rule {
        id: "rule".to_owned(),
        per: vec![Dimension::Customer],
        tenant_wide: false,
        prefix: None,
        kind,
        shadow: false,
    };
    Policy {
        version: 1,
        mode: Mode::Enforce,
        denies_uncounted: false,
        reads_lists: false,
        rules: vec![rule],
    }
}

fn sliding(max: u32) -> Policy {
    policy(Kind::Sliding {
        max,
        window_seconds: 60,
    })
}

fn denied() -> Answered {
    Answered::Denied {
        by: Cause::Rule("rule".to_owned()),
        stopped: true,
    }
}

/// One after another: contact, what the clock showed, answer.
fn one_by_one(policy: Policy, told: &[(Contact, i64, Answered)]) -> History {
    let steps: Vec<_> = (0_u64..)
        .zip(told)
        .map(|(step, (contact, clock_ms, answered))| {
            (
                *contact,
                *clock_ms,
                2 * step..2 * step + 1,
                answered.clone(),
            )
        })
        .collect();
    history(policy, &steps)
}

/// Meters and records as a limiter without fault would leave them.
fn history(policy: Policy, told: &[(Contact, i64, std::ops::Range<u64>, Answered)]) -> History {
    let mut history = History {
        policies: vec![policy],
        meters: vec![Meter::default()],
        ..History::default()
    };
    for (contact, clock_ms, when, answered) in told {
        let standing = match answered {
            Answered::Denied { stopped: true, .. } => Standing::Void,
            _ => Standing::Admitted,
        };
        history.meters[0]
            .entries
            .push((standing, *clock_ms, *contact));
        let outcome = match answered {
            Answered::Denied { .. } => "denied",
            _ => "allowed",
        };
        history.records.insert(*contact, outcome.to_owned());
        history.deliveries.push(Delivery {
            contact: *contact,
            process: 0,
            dialled: HERE,
            clock_ms: *clock_ms,
            began: when.start,
            ended: when.end,
            answered: answered.clone(),
            version: Some(1),
            admits_failure: false,
        });
    }
    history
}

#[track_caller]
fn finds(history: &History, what: &str) {
    let findings = check(history);
    assert!(
        findings.iter().any(|finding| finding.contains(what)),
        "{findings:?}"
    );
}

#[track_caller]
fn passes(history: &History) {
    assert_eq!(check(history), Vec::<String>::new());
}

use Answered::Allowed;

#[test]
fn one_too_many_in_a_window_is_found_to_the_millisecond() {
    let told = |third_ms| {
        one_by_one(
            sliding(2),
            &[(1, 0, Allowed), (2, 10, Allowed), (3, third_ms, Allowed)],
        )
    };
    finds(&told(59_999), "admitted too many");
    passes(&told(60_000));
}

#[test]
fn one_denied_too_early_is_found_to_the_millisecond() {
    let told = |second_ms| one_by_one(sliding(1), &[(1, 0, Allowed), (2, second_ms, denied())]);
    passes(&told(59_999));
    finds(&told(60_000), "without a cause");
}

#[test]
fn too_many_at_once_are_found_whoever_came_first() {
    let together = |answers: [Answered; 3]| {
        let told: Vec<_> = (0_u64..)
            .zip(answers)
            .map(|(n, answered)| (n, 0, n..10 + n, answered))
            .collect();
        history(sliding(1), &told)
    };
    finds(&together([Allowed, Allowed, denied()]), "admitted too many");
    passes(&together([denied(), Allowed, denied()]));
    passes(&together([denied(), denied(), denied()]));
}

#[test]
fn clocks_that_differ_are_given_the_benefit_and_no_more() {
    let told = |clock_of_the_denied| {
        one_by_one(
            sliding(1),
            &[(1, 2_000, Allowed), (2, clock_of_the_denied, denied())],
        )
    };
    passes(&told(61_999));
    finds(&told(62_000), "without a cause");
    // The second stands at 2 000 at the earliest, behind the first, whatever its own clock showed.
    let third = |at_ms| {
        one_by_one(
            sliding(1),
            &[(1, 2_000, Allowed), (2, 0, denied()), (3, at_ms, Allowed)],
        )
    };
    finds(&third(61_999), "admitted too many");
    passes(&third(62_000));
}

#[test]
fn each_kind_is_held_to_its_own_words() {
    let attempts = |kind, at_ms: &[i64], last| {
        let mut told: Vec<_> = (0_u64..)
            .zip(at_ms)
            .map(|(contact, at_ms)| (contact, *at_ms, Allowed))
            .collect();
        told.last_mut().unwrap().2 = last;
        one_by_one(policy(kind), &told)
    };
    let day = Kind::Calendar {
        max: 1,
        period: Period::Day,
        zone: "UTC",
    };
    let week = Kind::Calendar {
        max: 1,
        period: Period::Week,
        zone: "UTC",
    };
    let month = Kind::Calendar {
        max: 1,
        period: Period::Month,
        zone: "UTC",
    };
    let three_days = Kind::ConsecutiveDays {
        max: 1,
        days: 3,
        zone: "UTC",
    };
    let quiet = Kind::UntilQuiet {
        block_at: 2,
        quiet_seconds: 60,
    };
    let pace = Kind::Pace {
        max: 2,
        per_seconds: 3,
        burst: 2,
    };
    // 1970 began on a Thursday; its fifth day was a Monday.
    let edges: [(Kind, &[i64], i64); 6] = [
        (day, &[0], DAY_MS),
        (week, &[0], 4 * DAY_MS),
        (month, &[0], 31 * DAY_MS),
        (three_days, &[5], 3 * DAY_MS),
        (quiet, &[0], 60_001),
        (pace, &[0, 0], 1_500),
    ];
    for (kind, before, free_at) in edges {
        let at = |at_ms| [before, &[at_ms]].concat();
        finds(
            &attempts(kind, &at(free_at - 1), Allowed),
            "admitted too many",
        );
        passes(&attempts(kind, &at(free_at), Allowed));
        passes(&attempts(kind, &at(free_at - 1), denied()));
        finds(&attempts(kind, &at(free_at), denied()), "without a cause");
    }
}

#[test]
fn denied_attempts_count_for_until_quiet_alone() {
    let quiet = policy(Kind::UntilQuiet {
        block_at: 2,
        quiet_seconds: 60,
    });
    let told = [
        (1, 0, Allowed),
        (2, 50_000, denied()),
        (3, 100_000, Allowed),
    ];
    finds(&one_by_one(quiet, &told), "admitted too many");
    passes(&one_by_one(sliding(1), &told));
    let denied_by_the_denied = [
        (1, 0, Allowed),
        (2, 50_000, denied()),
        (3, 100_000, denied()),
    ];
    finds(
        &one_by_one(sliding(1), &denied_by_the_denied),
        "without a cause",
    );
}

#[test]
fn of_a_contact_that_two_rules_denied_nobody_knows_which_one_marked_its_place() {
    let mut both = policy(Kind::UntilQuiet {
        block_at: 2,
        quiet_seconds: 60,
    });
    let another = Rule {
        id: "another".to_owned(),
        ..sliding(1).rules.remove(0)
    };
    both.rules.push(another);
    let by_another = Answered::Denied {
        by: Cause::Rule("another".to_owned()),
        stopped: true,
    };
    let told = |second: Answered| {
        let told = [
            (1, 0, Allowed),
            (2, 50_000, denied()),
            (2, 50_000, second),
            (3, 100_000, Allowed),
        ];
        one_by_one(both.clone(), &told)
    };
    finds(&told(denied()), "admitted too many");
    passes(&told(by_another));
}

#[test]
fn one_contact_answered_in_two_ways_is_found() {
    finds(
        &one_by_one(
            sliding(1),
            &[(1, 0, Allowed), (2, 1, denied()), (2, 2, Allowed)],
        ),
        "denied, and then allowed",
    );
    finds(
        &one_by_one(
            sliding(1),
            &[(1, 0, Allowed), (2, 1, Allowed), (2, 2, denied())],
        ),
        "different answers",
    );
}

#[test]
fn a_repeated_delivery_takes_one_place_only() {
    let told = [
        (1, 0, Allowed),
        (1, 1, Allowed),
        (2, 2, Allowed),
        (3, 3, denied()),
    ];
    passes(&one_by_one(sliding(2), &told));
    let charged_twice = [(1, 0, Allowed), (1, 1, Allowed), (2, 2, denied())];
    finds(&one_by_one(sliding(2), &charged_twice), "without a cause");
}

#[test]
fn what_a_killed_process_left_is_a_cause_once_and_until_it_expires() {
    let told = |third_ms| {
        one_by_one(
            sliding(2),
            &[
                (1, 0, Answered::Nothing),
                (2, 1, Allowed),
                (3, third_ms, denied()),
            ],
        )
    };
    passes(&told(50_000));
    finds(&told(60_001), "without a cause");
    let twice = [
        (1, 0, Answered::Nothing),
        (1, 1, Answered::Nothing),
        (2, 2, denied()),
    ];
    finds(&one_by_one(sliding(2), &twice), "without a cause");
}

#[test]
fn an_admission_that_stands_nowhere_is_found() {
    let mut lost = one_by_one(sliding(2), &[(1, 0, Allowed), (2, 1, Allowed)]);
    lost.meters[0].entries.remove(0);
    finds(&lost, "stands in 0 of 1 meters");
    let mut void = one_by_one(sliding(2), &[(1, 0, Allowed)]);
    void.meters[0].entries[0].0 = Standing::Void;
    finds(&void, "stands in 0 of 1 meters");
}

#[test]
fn a_denied_contact_that_is_charged_is_found() {
    let mut charged = one_by_one(sliding(1), &[(1, 0, Allowed), (2, 1, denied())]);
    charged.meters[0].entries[1].0 = Standing::Admitted;
    finds(&charged, "is charged");
}

#[test]
fn a_rule_that_only_watches_denies_nobody() {
    let mut policy = sliding(1);
    policy.rules[0].shadow = true;
    passes(&one_by_one(
        policy.clone(),
        &[(1, 0, Allowed), (2, 1, Allowed)],
    ));
    finds(
        &one_by_one(policy, &[(1, 0, Allowed), (2, 1, denied())]),
        "does not apply",
    );
}

#[test]
fn a_call_that_went_out_although_denied_counts() {
    let went_out = Answered::Denied {
        by: Cause::Rule("rule".to_owned()),
        stopped: false,
    };
    let told = [(1, 0, Allowed), (2, 30_000, went_out), (3, 61_000, Allowed)];
    finds(&one_by_one(sliding(1), &told), "admitted too many");
}

#[test]
fn stops_and_records_that_contradict_the_answer_are_found() {
    let mut stopped = one_by_one(sliding(1), &[(1, 0, Allowed)]);
    stopped.stopped = BTreeSet::from([1]);
    finds(&stopped, "stopped all the same");
    let mut unrecorded = one_by_one(sliding(1), &[(1, 0, Allowed), (2, 1, denied())]);
    unrecorded.records = BTreeMap::from([(1, "allowed".to_owned()), (2, "allowed".to_owned())]);
    finds(&unrecorded, "the record says");
}

#[test]
fn whoever_admits_a_failure_is_believed() {
    let mut charged = one_by_one(sliding(1), &[(1, 0, Allowed), (2, 1, denied())]);
    charged.meters[0].entries[1].0 = Standing::Admitted;
    charged.deliveries[1].admits_failure = true;
    passes(&charged);
}

fn listing(policy: &mut Policy, list: List, expires_at_ms: Option<i64>) -> Change {
    policy.reads_lists = true;
    let entry = Some(Entry {
        list,
        expires_at_ms,
    });
    Change {
        customer: HERE.customer,
        entry,
        began: 0,
        ended: 1,
    }
}

fn blocked() -> Answered {
    Answered::Denied {
        by: Cause::Block,
        stopped: true,
    }
}

/// One call that found this entry, and was answered so, in the tenth step.
fn listed(list: List, expires_at_ms: Option<i64>, clock_ms: i64, answered: Answered) -> History {
    let mut policy = sliding(1);
    let change = listing(&mut policy, list, expires_at_ms);
    let mut history = history(policy, &[(1, clock_ms, 10..11, answered.clone())]);
    history.listed = vec![change];
    if answered == Answered::Exempt {
        history.meters[0].entries[0].0 = Standing::Void;
        history.records.insert(1, "exempt".to_owned());
    }
    history
}

#[test]
fn a_blocked_number_that_is_let_go_is_found_and_an_exempt_one_that_is_denied_or_counted() {
    finds(
        &listed(List::Block, None, 5, Allowed),
        "let go although blocked",
    );
    finds(
        &listed(List::Exemption, None, 5, Allowed),
        "counted although exempt",
    );
    finds(
        &listed(List::Exemption, None, 5, denied()),
        "denied although exempt",
    );
    passes(&listed(List::Block, None, 5, blocked()));
    passes(&listed(List::Exemption, None, 5, Answered::Exempt));
}

#[test]
fn an_entry_that_has_ended_or_was_never_made_excuses_nothing() {
    for (list, answered, found) in [
        (List::Block, blocked(), "was blocked without"),
        (List::Exemption, Answered::Exempt, "was exempt without"),
    ] {
        passes(&listed(list, Some(1_000), 999, answered.clone()));
        finds(&listed(list, Some(1_000), 1_000, answered.clone()), found);
        let mut never = listed(list, None, 5, answered);
        never.listed.clear();
        finds(&never, found);
    }
    passes(&listed(List::Block, Some(1_000), 1_000, Allowed));
}

#[test]
fn while_an_entry_is_being_changed_either_answer_is_right() {
    for answered in [Allowed, blocked()] {
        let mut meanwhile = listed(List::Block, None, 5, answered);
        (meanwhile.listed[0].began, meanwhile.listed[0].ended) = (9, 12);
        passes(&meanwhile);
    }
}

#[test]
fn what_a_list_has_decided_counts_nowhere() {
    for (list, answered) in [
        (List::Block, blocked()),
        (List::Exemption, Answered::Exempt),
    ] {
        for standing in [Standing::Admitted, Standing::Denied] {
            let mut charged = listed(list, None, 5, answered.clone());
            charged.meters[0].entries[0].0 = standing;
            finds(&charged, "is charged");
        }
    }
}

#[test]
fn a_policy_that_does_not_look_at_lists_or_only_watches_blocks_nobody() {
    for (mode, reads_lists) in [
        (Mode::Enforce, false),
        (Mode::Shadow, true),
        (Mode::Off, true),
    ] {
        let mut history = listed(List::Block, None, 5, Allowed);
        history.policies[0].mode = mode;
        history.policies[0].reads_lists = reads_lists;
        passes(&history);
        let mut history = listed(List::Block, None, 5, blocked());
        history.policies[0].mode = mode;
        history.policies[0].reads_lists = reads_lists;
        finds(&history, "blocked without");
    }
}

/// It went out at first, so up to then it counts; once it is stopped, others may have its place.
#[test]
fn a_contact_that_was_let_go_and_then_denied_counts_until_it_was_judged_anew() {
    let told = |second: Contact, third: Contact| {
        let answers = |contact| if contact == 1 { blocked() } else { Allowed };
        let told = [
            (1, 0, Allowed),
            (second, 1_000, answers(second)),
            (third, 2_000, answers(third)),
        ];
        let mut policy = sliding(1);
        let mut change = listing(&mut policy, List::Block, None);
        let mut history = one_by_one(policy, &told);
        (change.began, change.ended) = (1, 1);
        change.customer = HERE.customer;
        history.meters[0].entries[0].0 = Standing::Void;
        for delivery in &mut history.deliveries {
            // Only the first contact's number is on the list.
            delivery.dialled.customer = if delivery.contact == 1 {
                HERE.customer
            } else {
                1
            };
        }
        history.policies[0].rules[0].per = vec![Dimension::CallerId];
        history.records.insert(1, "denied".to_owned());
        history.listed = vec![change];
        history
    };
    passes(&told(1, 2));
    finds(&told(2, 1), "admitted too many");
}

#[test]
fn a_contact_that_comes_back_when_it_is_forgotten_may_count_a_second_time() {
    let told = |again_ms| {
        let told = [
            (1, 0, Allowed),
            (1, again_ms, Allowed),
            (2, again_ms + 1, denied()),
        ];
        one_by_one(sliding(2), &told)
    };
    finds(&told(18_000), "without a cause");
    passes(&told(30_000));
}
