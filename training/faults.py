class ExportFault(Exception):
    """What the caller may read: it names the file or tensor and the remedy. The command ends with exit code 2."""
