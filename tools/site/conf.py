"""Settings of the book that `make site` builds with Sphinx; its pages are laid out by `tools.authoring.site`.

Nothing here needs a network, neither to build nor to read: formulas are MathML, which browsers show by themselves.
"""

from docutils.nodes import SkipNode
from docutils.utils.math.latex2mathml import tex2mathml

project = "Semantic segmentation"
author = "the authors of these notebooks"
extensions = ["myst_nb"]
root_doc = "index"
nb_execution_mode = "off"  # the outputs are those of the committed notebooks
nb_code_prompt_show = "Show the code"
nb_code_prompt_hide = "Hide the code"
myst_enable_extensions = ["dollarmath", "html_image"]
myst_heading_anchors = 3
# A section may begin with an exercise, two levels below the title.
suppress_warnings = ["myst.header"]
highlight_language = "python"
html_math_renderer = "mathml"

html_theme = "alabaster"
html_title = project
html_theme_options = {"page_width": "1240px", "sidebar_width": "260px", "fixed_sidebar": True, "show_powered_by": False}
html_sidebars = {"**": ["about.html", "searchfield.html", "navigation.html", "relations.html"]}
html_static_path = ["site.css"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False


def _math(self, node, *, block: bool) -> None:
    mathml = tex2mathml(node.astext(), as_block=block)
    self.body.append(f'<div class="math">{mathml}</div>' if block else f'<span class="math">{mathml}</span>')
    raise SkipNode


def setup(app) -> None:
    """Formulas as MathML instead of a script from another machine."""
    app.add_html_math_renderer(
        "mathml",
        inline_renderers=(lambda self, node: _math(self, node, block=False), None),
        block_renderers=(lambda self, node: _math(self, node, block=True), None),
    )
