"""The Generate menu."""

from editor.actions.table import Action
from inference.parameters import N_

GENERATE: tuple[Action, ...] = (
    Action(
        id="generate.variations", text=N_("Actions", "&Variations"), menu="generate",
        command="sessions.make_variations", shortcut="Ctrl+Shift+V", enabled_when="seed",
        icon="variations",
    ),
    Action(
        id="generate.reset", text=N_("Actions", "&Reset sliders"), menu="generate",
        command="sessions.reset_sliders", shortcut="Ctrl+R", enabled_when="recipe", icon="reset",
    ),
    Action(
        id="generate.refine", text=N_("Actions", "Re&fine"), menu="generate", command="refinement.refine",
        shortcut="Ctrl+Shift+F", enabled_when="recipe", icon="target",
        tip=N_("Actions", "Make the picture again with every chosen subject in it"),
    ),
    Action(
        id="generate.suggest", text=N_("Actions", "S&uggest subjects"), menu="generate",
        command="refinement.suggest_subjects", enabled_when="recipe",
    ),
    Action(
        id="generate.compare", text=N_("Actions", "&Compare methods and seeds…"), menu="generate",
        command="window.show_contact_sheet", enabled_when="recipe",
    ),
    Action(
        id="generate.choose_step", text=N_("Actions", "C&hoose the refinement step…"), menu="generate",
        command="window.show_step_search",
    ),
    Action(
        id="generate.insert", text=N_("Actions", "I&nsert into the picture…"), menu="generate",
        command="window.show_edit", argument="insert", enabled_when="document", group=1,
        tip=N_("Actions", "Replace, add, remove or change what two sentences tell apart"),
    ),
    Action(
        id="generate.translate", text=N_("Actions", "Trans&late the picture…"), menu="generate",
        command="window.show_edit", argument="translate", enabled_when="document", group=1,
        tip=N_("Actions", "The same structure from a new text"),
    ),
    Action(
        id="generate.redraw", text=N_("Actions", "Re&draw…"), menu="generate",
        command="window.show_edit", argument="redraw", enabled_when="document", group=1,
    ),
    Action(
        id="generate.fill", text=N_("Actions", "Fill from a &prompt…"), menu="generate",
        command="window.show_edit", argument="fill", enabled_when="document", group=1,
    ),
    Action(
        id="generate.enlarge", text=N_("Actions", "Enlar&ge…"), menu="generate",
        command="window.show_edit", argument="enlarge", enabled_when="document", group=1,
        tip=N_("Actions", "The picture in more pixels, with details that the model adds"),
    ),
    Action(
        id="generate.teach", text=N_("Actions", "&Teach an attribute…"), menu="generate",
        command="window.show_teach", group=2,
        tip=N_("Actions", "Make a slider of your own from a few words"),
    ),
    Action(
        id="generate.attributes", text=N_("Actions", "&Attributes…"), menu="generate",
        command="window.show_attributes", group=2,
        tip=N_("Actions", "Look at the attributes there are, bring some in, hand some on"),
    ),
    Action(
        id="generate.teach_concept", text=N_("Actions", "Teach a c&oncept…"), menu="generate",
        command="window.show_teach_concept", group=2,
        tip=N_("Actions", "Learn a word for what a few photos show"),
    ),
    Action(
        id="generate.import_concepts", text=N_("Actions", "&Import concepts…"), menu="generate",
        command="window.import_concepts", group=2,
        tip=N_("Actions", "Files of this or another program"),
    ),
    Action(
        id="generate.cancel", text=N_("Actions", "&Stop all jobs"), menu="generate",
        command="application.cancel_jobs", shortcut="Ctrl+.", enabled_when="jobs", group=3, icon="stop",
    ),
    Action(
        id="generate.models", text=N_("Actions", "&Models…"), menu="generate",
        command="window.show_models", shortcut="Ctrl+M", group=4, icon="model",
    ),
)  # fmt: skip
