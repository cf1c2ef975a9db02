-- Lists of what is rare among the decisions: by outcome and by rule. What was plainly allowed is not rare, and has no rule.
-- writers wait: only the workers that read decisions back, which go on where they were
create index decisions_newest_of_outcome on decisions (tenant_id, outcome, at desc, id desc) where outcome <> 'allowed';
-- writers wait: as above
create index decisions_newest_of_rule on decisions (tenant_id, rule_id, at desc, id desc) where rule_id is not null;
