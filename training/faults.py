class ExportFault(Exception):
    """What the caller may read: it names the file or tensor and the remedy. The command ends with exit code 2."""


class TrainingFault(Exception):
    """The same for preparing volumes and training: message with file and remedy, exit code 2."""
