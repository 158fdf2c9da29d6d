"""Letters: what an office sends, as .docx for its editors and .pdf for its readers. Every letter says 涉嫌."""
