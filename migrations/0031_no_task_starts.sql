-- What `request_paces` took the place of; the version before the one that brought it in is long gone.
drop table task_starts;
