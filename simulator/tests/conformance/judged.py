"""Where the two servers differ, and why the simulator's answer is kept: what AWS documents stands against ministack 1.5.33."""

LENGTH = "The API reference of STS gives length and characters of this parameter; beyond them it is a ValidationError."
DURATION = "Documented: 900 s to 12 h, at most the role's own maximum, and one hour where a role assumes a role."
STATUS = "DynamoDB's error reference gives AccessDeniedException the status 400."
MODEL = "Lambda's service model constrains this member; what violates it is refused with 400."
REVISION = "Documented: a RevisionId that is not the policy's is refused with 412, and each edit makes a new one."
NO_POLICY = "Documented: GetPolicy answers ResourceNotFoundException where a function has no policy."

JUDGED = {
    "AssumeRole: the external id has a space": LENGTH,
    "AssumeRole: the external id is one character": LENGTH,
    "AssumeRole: a session name with a space": LENGTH,
    "AssumeRole: a session name of one character": LENGTH,
    "AssumeRole: no session name": LENGTH,
    "AssumeRole: a session of a minute": DURATION,
    "AssumeRole: a session of two hours from a role": DURATION,
    "AssumeRole: a session of a day": DURATION,
    "AssumeRole: the role may not": STATUS,
    "AssumeRole: the role may, but not the session": STATUS,
    "AssumeRole: the session may, but not the role": STATUS,
    "AssumeRole: the role is denied what it may": STATUS,
    "AddPermission: the policy before there is one": NO_POLICY,
    "AddPermission: the policy after the last is gone": NO_POLICY,
    "AddPermission: a grant to an account": "A policy shows an account as the ARN of its root user.",
    "AddPermission: a grant on an old revision": REVISION,
    "AddPermission: revisions change with each edit": REVISION,
    "AddPermission: a removal on an old revision": REVISION,
    "AddPermission: a statement id with a space": MODEL,
    "AddPermission: no statement id": MODEL,
    "AddPermission: a statement id of 101 characters": MODEL,
    "AddPermission: no principal": MODEL,
    "AddPermission: an account of two digits": MODEL,
    "AddPermission: a source that is no ARN": MODEL,
    "AddPermission: an action of another service": MODEL,
    "AddPermission: more statements than a policy holds": "Documented: a policy holds 20 KB, then PolicyLengthExceededException.",
}
