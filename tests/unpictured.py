"""The checks of a config's smoke run, without its pictures: for tests that break something."""

from lab import builtin, config
from lab.experiment import Session, load_experiment
from lab.progress import Silent


def failed_checks(name, folder):
    """Names of the checks that fail in a smoke run of a built-in config."""
    document = config.load(builtin.find_config(name), smoke=True, experiments=builtin.experiments())
    experiment = load_experiment(builtin.find_experiment(document.experiment, document.folder))
    chosen, session = document.validate(experiment.Config), Session(folder, Silent())
    experiment.compute(chosen, session)
    return [check.name for check in experiment.checks(chosen, session.data()) if not check.passed]
