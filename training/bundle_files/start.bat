@echo off
rem Makes a private environment beside this file once, checks the model, and serves it.
cd /d "%~dp0"
if not exist .venv (
  py -3 -m venv .venv || exit /b 1
  .venv\Scripts\pip install -r requirements.txt || exit /b 1
)
.venv\Scripts\python self_test.py || exit /b 1
.venv\Scripts\python serve.py %*
