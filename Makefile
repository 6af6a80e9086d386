# `make` alone lists the commands. All of them keep to this folder: packages go to .venv,
# the site to _build, notes of the tools to .cache.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON  := .venv/bin/python
INSTALL := $(PYTHON) -m pip install -qq --disable-pip-version-check --constraint constraints.txt
PORT    ?= 8000
CHAPTERS ?=
export PYTHON3

.PHONY: help book test notebooks verify portable binder serve bench mutants times lint format \
        oracles lock lite litecheck package pdf archive handout hooks clean distclean

help:
	@echo "make book       build the site: _build/html/index.html"
	@echo "make serve      show it on this machine as a server shows it (PORT=8000)"
	@echo "make test       prove everything that can be proved here: style, site, tests, every output"
	@echo ""
	@echo "make notebooks  execute the chapters whose text or library changed, store their outputs"
	@echo "                (CHAPTERS=\"07 08\" executes these)"
	@echo "make verify     execute every chapter and compare with what is stored, byte for byte"
	@echo "make portable   compare every output once more, on an older machine that this one plays"
	@echo "make binder     install as Binder does, run the chapters through its server, compare"
	@echo "make times      measure how long each chapter runs, for the line under its title"
	@echo "make mutants    plant the named bugs one by one; the tests must catch each"
	@echo "make oracles    install PyTorch, JAX, autograd and scikit-learn as further witnesses"
	@echo "make bench      time the library against its peers"
	@echo ""
	@echo "make lite       run chapters in the reader's browser: adds _build/html/lite (needs npm)"
	@echo "make litecheck  prove that they say the same there as here"
	@echo "make package    build backprop_lib as a package; prove it in an environment of its own"
	@echo "make pdf        print the whole book with a Chromium; check the PDF: dist/"
	@echo "make archive    pack the built site with checksums: dist/"
	@echo "make handout    build the site and its notebooks without solutions: _build/handout"
	@echo "make hooks      let git check style, types and twins before each commit"
	@echo ""
	@echo "make lint       check style and types       make format     put the code in form"
	@echo "make lock       resolve constraints.txt     make clean      remove what was built"
	@echo "                                            make distclean  remove .venv, too"

# --- What must be installed -----------------------------------------------------------------------
# A stamp is newer than the files it was made from: pip runs only when one of them changed.

$(PYTHON):
	@sh tools/make_venv.sh .venv

.venv/book.stamp: requirements.txt requirements-book.txt constraints.txt pyproject.toml | $(PYTHON)
	@echo "Installing what the book needs in .venv (a minute or two)"
	@$(INSTALL) --requirement requirements-book.txt
	@$(INSTALL) --no-deps --editable .
	@$(PYTHON) -c "import matplotlib.font_manager"
	@touch $@

.venv/test.stamp: requirements-test.txt .venv/book.stamp
	@echo "Installing what the tests need"
	@$(INSTALL) --requirement requirements-test.txt
	@touch $@

.venv/oracles.stamp: requirements-oracles.txt .venv/book.stamp
	@echo "Installing the witnesses: PyTorch, JAX, autograd, scikit-learn (large)"
	@$(INSTALL) --requirement requirements-oracles.txt
	@touch $@

.venv/lite.stamp: requirements-lite.txt requirements-jupyter.txt .venv/book.stamp
	@echo "Installing what builds notebooks for the browser"
	@$(INSTALL) --requirement requirements-lite.txt
	@touch $@

.venv/binder.stamp: requirements-binder.txt .venv/book.stamp
	@echo "Installing the program that Binder builds with"
	@$(INSTALL) --requirement requirements-binder.txt
	@touch $@

# --- Reading --------------------------------------------------------------------------------------

book: .venv/book.stamp
	@$(PYTHON) -m tools.book run --edited
	@echo "Building the site"
	@.venv/bin/jupyter-book build . -n -W --keep-going -q
	@echo "Done. Open  file://$(CURDIR)/_build/html/index.html"
	@echo "As readers will have it, from a server:  make serve"

serve: .venv/book.stamp
	@$(PYTHON) -m tools.serve --port $(PORT)

# --- Proving --------------------------------------------------------------------------------------

test: .venv/test.stamp
	@$(PYTHON) -m tools.check

lint: .venv/test.stamp
	@$(PYTHON) -m tools.check lint

mutants: .venv/test.stamp
	@$(PYTHON) -m pytest tests/mutants

oracles: .venv/oracles.stamp

bench: .venv/book.stamp
	@$(PYTHON) -m benchmarks

verify: .venv/book.stamp
	@$(PYTHON) -m tools.book run --all --verify

times: .venv/oracles.stamp
	@$(PYTHON) -m tools.run_times

portable: .venv/test.stamp
	@$(PYTHON) -m tools.portable

binder: .venv/binder.stamp .venv/test.stamp
	@$(PYTHON) -m tools.binder $(CHAPTERS)

# --- Writing --------------------------------------------------------------------------------------

notebooks: .venv/book.stamp
	@$(PYTHON) -m tools.book run $(CHAPTERS)

format: .venv/test.stamp
	@$(PYTHON) -m ruff check --fix-only --quiet .
	@$(PYTHON) -m ruff format .

lock: .venv/book.stamp
	@$(PYTHON) -m tools.lock

hooks: .venv/test.stamp
	@$(INSTALL) pre-commit
	@.venv/bin/pre-commit install

# --- Publishing -----------------------------------------------------------------------------------

# The pages come last: a chapter gets its button where it finds what the button opens.
lite: .venv/lite.stamp
	@$(PYTHON) -m tools.book run --edited
	@echo "Building the notebooks for the browser"
	@$(PYTHON) -m tools.lite
	@$(MAKE) --no-print-directory book

litecheck: .venv/lite.stamp .venv/test.stamp
	@$(PYTHON) -m tools.lite_check

package: .venv/test.stamp
	@$(PYTHON) -m tools.package

pdf: book .venv/test.stamp
	@$(PYTHON) -m tools.pdf
	@$(PYTHON) -m pytest -q -m slow tests/package/test_pdf.py

archive: book
	@$(PYTHON) -m tools.archive

handout: .venv/book.stamp
	@$(PYTHON) -m tools.handout

# --- Tidying --------------------------------------------------------------------------------------

clean:
	rm -rf _build .cache .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist *.egg-info
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

distclean: clean
	rm -rf .venv
