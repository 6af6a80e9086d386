"""The library of the book *Backpropagation, Every Number Checked*.

The names that chapters use, gathered from the rooms they live in: ``__init__.pyi`` says which name
lives where. A room is loaded when one of its names is first asked for, so that importing the
library costs next to nothing. The rooms in the order in which a reader needs them, and what
happens in each, are on the page *A tour of the house*.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__version__ = "0.1.0"
