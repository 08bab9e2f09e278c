"""Pieces of the training report.

Generic:   run_folder (reading), results (rows and seeds), page (HTML), figures (SVG), curves,
           origin (commands, machine, options).
One task:  graph_layout (sections), graph_seeds, graph_words (and the poster), graph_pictures.
"""
