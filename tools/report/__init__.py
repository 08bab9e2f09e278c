"""Pieces of the training report.

Generic:   run_folder (reading), results (rows and seeds), page (HTML), figures (SVG), curves,
           origin (commands, machine, options).
One task:  graph_layout (sections), graph_settings, graph_seeds, graph_pictures, graph_words.
"""
