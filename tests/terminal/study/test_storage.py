import json

from anypart.terminal.main import main


def test_every_form_costs_more_than_packed_codes(tmp_path, capsys):
    path = tmp_path / "t.csv"
    rows = "".join(f"{'abc'[k % 3]},{k % 7},{'xy'[k % 2]}\n" for k in range(2_000))
    path.write_text("word,number,letter\n" + rows)
    assert main(["study", "storage", str(path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    by_form = {form["form"]: form["row_bytes"] for form in found["forms"]}
    assert found["rows"] == 2_000
    assert by_form["packed codes"] == 1  # 2 + 3 + 1 bits
    assert by_form["list of dicts"] > by_form["list of tuples"] > by_form["Arrow"] > 1
    assert main(["study", "storage", str(path)]) == 0
    assert "list of dicts" in capsys.readouterr().out


def test_a_table_without_rows_is_refused(tmp_path, capsys):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n")
    assert main(["study", "storage", str(path)]) == 2
    assert "no rows" in capsys.readouterr().err
