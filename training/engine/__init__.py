"""The engine: pure PyTorch and Lightning in a process of its own, `python -m training.engine SPEC.json`.

Nothing heavy is imported here, so that `training.engine.spec` can be read by processes without torch.
"""
