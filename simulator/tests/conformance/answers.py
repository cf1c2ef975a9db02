"""Asks the simulator and a server that nobody here wrote the same questions about roles and permissions.

Usage: answers.py SIMULATOR SECOND-SERVER BOOTSTRAP. Every difference has to be judged in judged.py, with its reason;
one that is not, or that is no longer there, is a failure.
"""

import sys

from botocore.exceptions import ClientError

import permissions
import roles
from judged import JUDGED
from servers import Second, Simulator


def answer(question, server):
    """What the question is answered: of an error its status and code, of a success what the question makes of it."""
    try:
        return question(server)
    except ClientError as error:
        told = error.response
        return f"{told['ResponseMetadata']['HTTPStatusCode']} {told['Error']['Code']}"


def main(simulator_url, second_url, bootstrap):
    servers = [Simulator(simulator_url, bootstrap), Second(second_url)]
    asked, differing, failed = 0, set(), []
    for topic in (roles, permissions):
        for name, question in topic.questions(servers):
            ours, theirs = (answer(question, server) for server in servers)
            asked += 1
            if ours == theirs:
                continue
            differing.add(name)
            reason = JUDGED.get(name)
            print(f"differs: {name}\n  simulator: {ours}\n  second:    {theirs}\n  {reason or 'NOT JUDGED'}")
            if reason is None:
                failed.append(name)
    gone = set(JUDGED) - differing
    if gone:
        print(f"judged, but no longer different: {sorted(gone)}")
    print(f"{asked} questions, {asked - len(differing)} answered alike, {len(differing) - len(failed)} differences judged")
    return 1 if failed or gone or not asked else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
