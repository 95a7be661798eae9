"""What a model needs to play: endpoints, local models, users, prompts, transcripts as tokens.

The public names are listed in the stub file beside this one and imported on first use; what they
need beyond the plain install is imported when it is used, with an error that names the extra.
Styles that are meant to be copied (native tool calling, ReAct, CodeAct) are in the folder
``agents`` of a checkout and stand on these names.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
