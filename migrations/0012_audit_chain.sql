-- Each tenant's audit rows form a chain: a row's hash is made of the hash before it and of what the row says, so a row
-- that is changed, taken out or moved shows. What the operator does to no tenant is a chain of its own, under the nil id.
alter table audit_log
    add column ip text,
    add column seq bigint,
    add column hash bytea,
    add constraint audit_log_sealed_whole check ((seq is null) = (hash is null));

create unique index audit_log_in_order on audit_log (coalesce(tenant_id, '00000000-0000-0000-0000-000000000000'::uuid), seq);

create table audit_chains (
    chain_id uuid constraint audit_chains_pkey primary key,
    last_seq bigint not null,
    last_hash bytea not null
);

-- What is hashed of a row, as text that anybody can hash again.
create function audit_content(r audit_log) returns text language sql stable as $$
    select jsonb_build_object(
        'seq', r.seq, 'id', r.id, 'tenant_id', r.tenant_id, 'at_us', (extract(epoch from r.at) * 1000000)::bigint,
        'actor', r.actor, 'action', r.action, 'target', r.target, 'before', r.before, 'after', r.after,
        'request_id', r.request_id, 'ip', r.ip)::text
$$;

create function audit_hash(previous bytea, r audit_log) returns bytea language sql stable as $$
    select sha256(previous || convert_to(audit_content(r), 'UTF8'))
$$;

-- Runs when a transaction commits, in the order in which it wrote: the chain is locked last and for a moment only.
create function audit_seal() returns trigger language plpgsql as $$
declare
    chain uuid := coalesce(new.tenant_id, '00000000-0000-0000-0000-000000000000'::uuid);
    head audit_chains;
    sealed audit_log;
begin
    insert into audit_chains (chain_id, last_seq, last_hash) values (chain, 0, '') on conflict do nothing;
    select * into strict head from audit_chains where chain_id = chain for update;
    select * into strict sealed from audit_log where id = new.id;
    sealed.seq := head.last_seq + 1;
    sealed.hash := audit_hash(head.last_hash, sealed);
    update audit_log set seq = sealed.seq, hash = sealed.hash where id = sealed.id;
    update audit_chains set last_seq = sealed.seq, last_hash = sealed.hash where chain_id = chain;
    return null;
end
$$;

create constraint trigger audit_log_sealed after insert on audit_log
    deferrable initially deferred for each row execute function audit_seal();

-- Rows from before there was a chain, in the order of their times.
do $$
declare
    old audit_log;
    chain uuid;
    head audit_chains;
begin
    for old in select * from audit_log where seq is null order by at, id loop
        chain := coalesce(old.tenant_id, '00000000-0000-0000-0000-000000000000'::uuid);
        insert into audit_chains (chain_id, last_seq, last_hash) values (chain, 0, '') on conflict do nothing;
        select * into strict head from audit_chains where chain_id = chain;
        old.seq := head.last_seq + 1;
        old.hash := audit_hash(head.last_hash, old);
        update audit_log set seq = old.seq, hash = old.hash where id = old.id;
        update audit_chains set last_seq = old.seq, last_hash = old.hash where chain_id = chain;
    end loop;
end
$$;

-- What is sealed stays as it is.
create function audit_refuse_change() returns trigger language plpgsql as $$
begin
    raise exception 'the audit log is only added to' using errcode = 'restrict_violation';
end
$$;

create trigger audit_log_stays before update or delete on audit_log
    for each row when (old.seq is not null) execute function audit_refuse_change();

drop index audit_log_newest;
create index audit_log_by_action on audit_log (tenant_id, action, seq desc);
create index audit_log_by_target on audit_log (tenant_id, target, seq desc);
