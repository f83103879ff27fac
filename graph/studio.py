"""The graph as LangGraph Studio loads it: `langgraph dev`, or `make studio`."""

from __future__ import annotations

from graph.settings import load_settings
from graph.tagger import Tagger

graph = Tagger(load_settings()).graph
