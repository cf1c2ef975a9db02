-- The fallback function in the customer's account that the instance may invoke, or was about to be let: written before
-- that is done, so that it is not forgotten when the installation changes or goes.
alter table installations add column fallback_function_arn text;
