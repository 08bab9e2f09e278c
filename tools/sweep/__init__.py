"""Pieces of `softtricks sweep`.

arguments  what the user asks for
program    the experiment's program: its tasks, one training, the table
storage    the database, and the lock that makes a change of several rows one step
board      the trials in it: which wait, run, are done or failed
worker     starts and watches trainings on this machine
folder     what a training leaves behind, on the disk and in the database
progress   the line that tells how far it is
command    one after the other
"""
