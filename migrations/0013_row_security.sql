-- Every transaction of the application takes one of two roles, which may neither log in nor own anything. As
-- ringfence_tenant it sees and writes the rows of the tenant in app.tenant_id, and nothing without one; as ringfence_system
-- (workers, operators) it crosses tenants. Row security is forced, so that it holds for the tables' owner as well.

-- Roles belong to the whole server: they may be there already, made by an administrator or for another database.
do $$
declare
    wanted text;
begin
    foreach wanted in array array['ringfence_tenant', 'ringfence_system'] loop
        if not exists (select from pg_roles where rolname = wanted) then
            begin
                execute format('create role %I nologin nosuperuser nobypassrls', wanted);
            exception when duplicate_object or unique_violation then
                null; -- another migration was faster
            end;
        end if;
    end loop;
end
$$;

-- Lets a login take both roles without having their rights by itself. (Before PostgreSQL 16 that is a property of the
-- login: NOINHERIT.)
create function let_take_roles(login name) returns void language plpgsql as $$
begin
    execute format(
        'grant ringfence_tenant, ringfence_system to %I%s', login,
        case when current_setting('server_version_num')::int >= 160000 then ' with inherit false, set true' else '' end);
end
$$;

-- The owner takes them to change rows: see README.md in this folder. A superuser needs no leave.
select let_take_roles(current_user) from pg_roles where rolname = current_user and not rolsuper;

grant usage on schema public to ringfence_tenant, ringfence_system;

-- Whose rows the transaction may see; null: nobody's.
create function current_tenant() returns uuid language sql stable parallel safe as $$
    select nullif(current_setting('app.tenant_id', true), '')::uuid
$$;

-- Ends every migration that makes a table with rows of tenants.
create function protect_tenant_table(tenant_table regclass, tenant_column name default 'tenant_id')
returns void language plpgsql as $$
begin
    execute format('alter table %s enable row level security, force row level security', tenant_table);
    execute format(
        'create policy own_rows on %s to ringfence_tenant using (%I = current_tenant()) with check (%I = current_tenant())',
        tenant_table, tenant_column, tenant_column);
    execute format('create policy all_rows on %s to ringfence_system using (true) with check (true)', tenant_table);
    execute format('grant select, insert, update, delete on %s to ringfence_tenant, ringfence_system', tenant_table);
end
$$;

select protect_tenant_table(name::regclass) from unnest(array[
    'api_keys', 'connections', 'instances', 'shard_assignments', 'installations', 'installation_steps',
    'installation_queues', 'installed_flows', 'policies', 'policy_versions', 'publications', 'decisions', 'audit_log',
    'listed_numbers', 'number_lists', 'number_publications', 'deferred_notices', 'notice_agents'
]) as name;

-- A tenant may change itself, and be neither made nor removed by itself.
select protect_tenant_table('tenants', 'id');
revoke insert, delete on tenants from ringfence_tenant;

-- Rows are added to the log and sealed, nothing else.
revoke update, delete on audit_log from ringfence_tenant, ringfence_system;
grant update (seq, hash) on audit_log to ringfence_tenant, ringfence_system;
select protect_tenant_table('audit_chains', 'chain_id');
revoke delete on audit_chains from ringfence_tenant, ringfence_system;

-- What belongs to no tenant.
grant select, insert, update on operator_keys, shards, stream_checkpoints, task_starts to ringfence_system;

-- Whether the schema is up to date; the table is absent where the files are run by hand.
do $$
begin
    if to_regclass('_sqlx_migrations') is not null then
        grant select on _sqlx_migrations to ringfence_system;
    end if;
end
$$;
