"""The machinery that checks, reports and trains. Learners never need to open it, but may.

    commands/   what a person types
    training/   runs that take a while
    grading/    run a suite on a file, and judge
    reports/    show the result
    checks/     what the suites are written with
    runtime/    run a learner's file safely
    records/    what `.minigpt/` and `my_gpt/` hold
    course/     tasks, stubs, notebooks, hints, verdicts

Each room imports only what stands below it; `grading` and `reports` are independent of each other,
and so are `runtime` and `records`.
"""
